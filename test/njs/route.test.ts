import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import {
  asTried,
  decodeRoute,
  encodeGeneration,
  encodeRoute,
  isGeneration,
  isSessionId,
  isTokenDigest,
  isUntried,
  type PoolPlace,
  type Route,
  readyAddress,
  tokenDigestOf,
} from '../../njs/route.ts';
import { SID_WIDTH, WITH_TOKEN } from '../../njs/route-layout.ts';

const DIGEST = createHash('sha256').update('a token').digest('base64url');

const route: fc.Arbitrary<Route> = fc.record({
  state: fc.constantFrom('starting', 'ready', 'draining', 'gone'),
  generation: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  address: fc.constantFrom('', '10.0.0.1:80', '255.255.255.255:65535', `[${'ffff:'.repeat(7)}ffff]:65535`),
  tokenDigest: fc.constantFrom('', DIGEST, `${'-_'.repeat(21)}0`),
});

const SID = createHash('md5').update('an address').digest('hex');
const place: fc.Arbitrary<PoolPlace | undefined> = fc.constantFrom(
  undefined,
  { way: 'direct', sid: '' },
  { way: 'pooled', sid: SID },
  { way: 'untried', sid: SID },
);

test('a route survives its encoding, whose length hangs only on token and pool', (t) => {
  const length = encodeRoute(
    { state: 'gone', address: '', tokenDigest: '' },
    encodeGeneration(1),
    undefined,
  ).length;
  fc.assert(
    fc.property(route, place, (given, where) => {
      const text = encodeRoute(given, encodeGeneration(given.generation), where);
      t.deepEqual(decodeRoute(text), given);
      t.is(text.length, length + given.tokenDigest.length + (where ? 32 : 0));
      const ready = given.state === 'ready';
      if (where?.sid) t.is(text.slice(-SID_WIDTH), where.sid);
      t.is(isUntried(text), ready && where?.way === 'untried');
      t.is(readyAddress(text), ready && given.address !== '' ? given.address : '');
      t.is(text.length >= WITH_TOKEN, given.tokenDigest !== '');
      t.is(tokenDigestOf(text), given.tokenDigest);
    }),
  );
});

test('whether the pool had a backend changes nothing else of a route', (t) => {
  const given: Route = { state: 'ready', generation: 7, address: '10.0.0.1:80', tokenDigest: DIGEST };
  const untried = encodeRoute(given, encodeGeneration(given.generation), { way: 'untried', sid: SID });
  const pooled = asTried(untried, true);
  t.is(pooled, encodeRoute(given, encodeGeneration(given.generation), { way: 'pooled', sid: SID }));
  t.is(asTried(pooled, false), untried);
});

test('a digest is a SHA-256 in base64url', (t) => {
  t.true(isTokenDigest(DIGEST));
  for (const text of [
    '',
    DIGEST.slice(1),
    `${DIGEST}0`,
    `${DIGEST}=`,
    `+${DIGEST.slice(1)}`,
    `${DIGEST}\n`,
  ]) {
    t.false(isTokenDigest(text), JSON.stringify(text));
  }
});

test('what is no route is not decoded', (t) => {
  for (const text of ['', 'x', 'r', 'zzz', `q${'0'.repeat(60)}`, `r${'0'.repeat(60)}`]) {
    t.is(decodeRoute(text), undefined, text);
  }
  t.is(readyAddress(''), '');
});

test('a session id is 26 small letters and digits', (t) => {
  t.true(isSessionId('abcdefghijklmnopqrstuvwxy0'));
  for (const text of [
    '',
    'a'.repeat(25),
    'a'.repeat(27),
    'A'.repeat(26),
    `${'a'.repeat(25)}-`,
    `${'a'.repeat(26)}\n`,
  ]) {
    t.false(isSessionId(text), JSON.stringify(text));
  }
});

test('a generation is a whole number from 1 on', (t) => {
  t.true(isGeneration(1));
  t.true(isGeneration(Number.MAX_SAFE_INTEGER));
  for (const value of [0, -1, 1.5, Number.NaN, 2 ** 53, '1', null, undefined]) {
    t.false(isGeneration(value), String(value));
  }
});

import fc from 'fast-check';
import { type RawBackend, startRawBackend } from '../support/raw-backend.ts';
import { getRaw } from '../support/raw-http.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

const IDS = ['a', 'b', 'c'].map(idOf);

/** Pieces that have led proxies astray, in any order. */
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...IDS) },
  { weight: 4, arbitrary: fc.constantFrom('/', '//', '/p/', '/p', '..', '.', '/../', '/./') },
  {
    weight: 3,
    arbitrary: fc.constantFrom('%2f', '%2F', '%2e%2e', '%5c', '\\', ';', '%3f', '%23', '%00', '%0d%0a', '%'),
  },
  { weight: 2, arbitrary: fc.constantFrom('?', '#', '&', '=', '@', ':', '%252f', '%61', 'A', 'x') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('\xff', '\xc3\xa9', '\x80', '\x7f', '\x01', '\t', ' ', '$', '{', '"'),
  },
);

const target = fc
  .tuple(
    fc.constantFrom(
      '/p/',
      `/p/${IDS[0]}`,
      `/p/${IDS[0]}/`,
      `/p/${IDS[1]}/../`,
      '//p/',
      '/',
      '',
      'http://h/p/',
    ),
    fc.array(piece, { maxLength: 8 }),
  )
  .map(([start, pieces]) => start + pieces.join(''));

/**
 * The contract, read by somebody who has never seen the router: the id is what stands between `/p/` and the next
 * slash of the bytes that the client sent, and the backend gets every byte after it.
 */
function expected(raw: string): { backend: string; rest: string } | undefined {
  // A space ends the target: what follows belongs to the request line.
  const path = raw.replace(/^http:\/\/h\//, '/').replace(/ .*/, '');
  const [, prefix, id = '', ...rest] = path.split('/');
  const known = IDS.indexOf(id);
  return prefix === 'p' && known >= 0 && rest.length > 0 && path.startsWith('/p/')
    ? { backend: 'ABC'.charAt(known), rest: `/${rest.join('/')}` }
    : undefined;
}

testOnEachStack('no request target reaches any session but the one it names', {}, async (t, { router }) => {
  const backends: RawBackend[] = [];
  for (const [index, id] of IDS.entries()) {
    const backend = await startRawBackend('ABC'.charAt(index));
    t.teardown(() => backend.stop());
    backends.push(backend);
    await router.admin.put(id, 'ready', backend.address);
  }
  await router.admin.fill();

  let served = 0;
  await fc.assert(
    fc.asyncProperty(target, async (raw) => {
      const answer = await getRaw(router.publicSocket, raw);
      if (/^[ABC] GET /.test(answer.body)) {
        const wanted = expected(raw);
        t.is(answer.body, `${wanted?.backend} GET ${wanted?.rest} HTTP/1.1`, raw);
        served += 1;
      } else {
        t.true(answer.status >= 200 && answer.status < 500, `${answer.status}: ${raw}`);
      }
    }),
    { numRuns: 1500 },
  );
  t.true(served > 50, `only ${served} requests were served: the test tests too little`);
});

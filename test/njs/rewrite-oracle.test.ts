import test from 'ava';
import fc from 'fast-check';
import type { RewriteContext } from '../../njs/rewrite-context.ts';
import { rewriteUrl } from '../../njs/rewrite-url.ts';

/** Holds rewriteUrl against Node's own implementation of the URL standard. */

const P = `/p/${'a'.repeat(26)}`;
const BACKEND = '10.0.0.7:8080';
const OWN_NAMES = [BACKEND, 'localhost:8080', '127.0.0.1:8080', '[::1]:8080', '0.0.0.0:8080', '[::]:8080'];

const segment = fc.constantFrom(
  ...['', 'x', 'y.z', 'a:b', 'ü', '%2f', '.', '..', '%2e', '.%2E', '%2e%2e', '...', '%2e%2e%2f', ' ', '\x01'],
);
const slash = fc.constantFrom('/', '/', '/', '\\');
const path = fc.array(fc.tuple(slash, segment), { maxLength: 6 }).map((parts) => parts.flat().join(''));
const tail = fc.constantFrom('', '', '?', '?q=/../x', '#', '#/f', '?a#b', '?\\');
const scheme = fc.constantFrom('', 'http:', 'https:', 'HTTP:', 'hTTps:', 'mailto:', 'data:', 'ws:', 'x-y:');
const slashes = fc.constantFrom('//', '//', '//', '///', '\\\\', '/\\', '/', '');
const host = fc.constantFrom(
  ...[
    'apps.test',
    'APPS.test',
    'apps.test:8000',
    'apps.test:443',
    'apps.test:80',
    'me:pw@apps.test',
    'evil.test',
  ],
  ...['apps.test@evil.test', '', 'apps.test:port', 'apps.test.', 'LocalHost:8080', 'localhost:08080'],
  ...['10.0.0.7', '10.0.0.7:81', ...OWN_NAMES],
);
const around = fc.constantFrom('', '', '', ' ', '\t', '\x01 ');

const reference = fc.oneof(
  fc.tuple(scheme, slashes, host, path, tail).map((parts) => parts.join('')),
  fc.tuple(fc.constantFrom('', P, `${P}x`), path, tail).map((parts) => parts.join('')),
  fc.tuple(segment, path, tail).map((parts) => parts.join('')),
  fc
    .array(fc.constantFrom('/', '\\', '.', '..', ':', '?', '#', '@', 'x', '\t', P, 'apps.test', 'http:'))
    .map((parts) => parts.join('')),
  fc.string(),
);
const said = fc.tuple(around, reference, around).map((parts) => parts.join(''));

/** As a browser sends it: normalized. */
const target = fc.tuple(path, tail).map(([somePath, someTail]) => {
  const url = new URL(`http://app/${somePath}${someTail}`);
  return url.pathname + url.search;
});

const context = fc.record({
  mode: fc.constant('path' as const),
  prefix: fc.constant(P),
  scheme: fc.constantFrom('http', 'https'),
  publicHost: fc.constantFrom('apps.test', 'apps.test:8000', 'apps.test:443'),
  backend: fc.constant(BACKEND),
  rest: target,
});

/** What a browser makes of a reference in the answer to a request; undefined if nothing. */
function resolve(reference: string, origin: string, target: string): URL | undefined {
  return URL.canParse(reference, origin + target) ? new URL(reference, origin + target) : undefined;
}

function isBelow(pathname: string): boolean {
  return pathname === P || pathname.startsWith(`${P}/`);
}

/** Where it may lead in the browser: an app that is below `/p/<id>` itself can mean either by a relative reference. */
function pathsOf(meant: URL, text: string, origin: string): string[] {
  if (!isBelow(meant.pathname)) return [P + meant.pathname];
  const [here, there] = ['/1/2/3/4/5/6/7/8/', '/9/2/3/4/5/6/7/8/'].map((folder) =>
    resolve(text, origin, folder),
  );
  const relative = here?.pathname !== there?.pathname;
  return relative ? [meant.pathname, P + meant.pathname] : [meant.pathname];
}

test('the browser is led where the app meant to lead it', (t) => {
  const counts = { own: 0, foreign: 0, nowhere: 0 };
  fc.assert(
    fc.property(said, context, (text, its) => {
      const origin = `${its.scheme}://${its.publicHost}`;
      const publicHost = new URL(origin).host;
      const meant = resolve(text, origin, its.rest);
      const told = resolve(rewriteUrl(text, its), origin, P + its.rest);
      if (meant === undefined || !/^https?:$/.test(meant.protocol)) {
        counts.nowhere += 1;
        return told?.href === meant?.href;
      }
      const toPublic = meant.host === publicHost;
      if (!toPublic && !OWN_NAMES.includes(meant.host)) {
        counts.foreign += 1;
        return told?.href === meant.href;
      }
      counts.own += 1;
      const start = toPublic
        ? meant.href.slice(0, meant.href.indexOf('/', meant.protocol.length + 2))
        : origin;
      const end = meant.href.slice(meant.href.search(/[?#]|$/));
      return pathsOf(meant, text, origin).some((path) => told?.href === new URL(start + path + end).href);
    }),
    { numRuns: 20_000 },
  );
  for (const [kind, count] of Object.entries(counts)) t.true(count > 100, `${kind}: ${count}`);
});

test('what stays on the public host stays in the session, and the app is never named', (t) => {
  fc.assert(
    fc.property(said, context, (text, its) => {
      const origin = `${its.scheme}://${its.publicHost}`;
      const told = resolve(rewriteUrl(text, its), origin, P + its.rest);
      return (
        told === undefined ||
        !/^https?:$/.test(told.protocol) ||
        (told.host === new URL(origin).host ? isBelow(told.pathname) : !OWN_NAMES.includes(told.host))
      );
    }),
    { numRuns: 20_000 },
  );
  t.pass();
});

test('where the app knows its URL only its own inner address changes, and leads to no other host', (t) => {
  const modes = fc.constantFrom<RewriteContext['mode']>('path-kept', 'host');
  fc.assert(
    fc.property(said, context, modes, (text, its, mode) => {
      const origin = `${its.scheme}://${its.publicHost}`;
      const meant = resolve(text, origin, its.rest);
      const rewritten = rewriteUrl(text, { ...its, mode });
      if (!/^https?:$/.test(meant?.protocol ?? '') || !OWN_NAMES.includes(meant?.host ?? '')) {
        return rewritten === text;
      }
      const told = resolve(rewritten, origin, its.rest);
      return told?.host === new URL(origin).host && told.pathname === meant?.pathname;
    }),
    { numRuns: 20_000 },
  );
  t.pass();
});

import test from 'ava';
import fc from 'fast-check';
import type { RewriteContext } from '../../njs/rewrite-context.ts';
import { rewriteCookie } from '../../njs/rewrite-cookie.ts';

const P = `/p/${'a'.repeat(26)}`;

const PATH: RewriteContext = {
  mode: 'path',
  prefix: P,
  scheme: 'https',
  publicHost: 'apps.test',
  backend: '10.0.0.7:8080',
  rest: '/',
};
const KEPT: RewriteContext = { ...PATH, mode: 'path-kept' };
const HOST: RewriteContext = { ...PATH, mode: 'host', prefix: '' };

/** What the app sets, and what the browser is told: the same if left out, undefined for nothing at all. */
type Row = [set: string, ...told: (string | undefined)[]];

function table(title: string, context: RewriteContext, rows: Row[]): void {
  test(title, (t) => {
    for (const row of rows) {
      t.is(rewriteCookie(row[0], context), row.length === 1 ? row[0] : row[1], JSON.stringify(row[0]));
    }
  });
}

table("a cookie's path gets the prefix", PATH, [
  ['a=b; Path=/', `a=b; Path=${P}/`],
  ['a=b;path=/x;HttpOnly', `a=b;path=${P}/x;HttpOnly`],
  ['a=b; PATH = /x ; Secure', `a=b; PATH = ${P}/x ; Secure`],
  ['a=b; Path=/; Path=/x', `a=b; Path=${P}/; Path=${P}/x`],
  [`a=b; Path=/; Path=${P}/${'x'.repeat(1024)}`, `a=b; Path=${P}/; Path=${P}/${'x'.repeat(1024)}`],
  ['a=b; Path="/x"', `a=b; Path="${P}/x"`],
  [`a=b; Path=${P}x`, `a=b; Path=${P}${P}x`],
  ['a="b; Path=/"', `a="b; Path=${P}/"`],
]);

table('a cookie that is narrow enough is left alone', PATH, [
  ['a=b'],
  ['a=b; Path='],
  ['a=b; Path'],
  ['a=b; Path=x'],
  [`a=b; Path=${P}`],
  [`a=b; Path=${P} `],
  [`a=b; Path=${P}/`],
  [`a=b; Path="${P}/x"`],
  ['Path=/'],
  ['a=Path=/; Pathx=/; xPath=/'],
  [' a = "b c", d=e ;;  Max-Age=1;Expires=Wed, 21 Oct 2026 07:28:00 GMT; SameSite=None; Partitioned; ü=ü'],
  ['__Secure-a=b; Secure; Path=x'],
  ['a=b\t; x=\t'],
]);

table('a cookie is never for other hosts', PATH, [
  ['a=b; Domain=apps.test', 'a=b'],
  ['a=b; domain=.test ;Secure', 'a=b;Secure'],
  ['a=b;Domain;\tDOMAIN =x; Path=/', `a=b; Path=${P}/`],
  ['Domain=x; Domains=x'],
]);

table('a cookie is dropped that has to be wide, is like those of the router, or is none', PATH, [
  ['__Host-a=b; Secure; Path=/', undefined],
  ['__HOST-a=b', undefined],
  ['__Host-', undefined],
  ['=__Host-a=b', undefined],
  ['\t= =__Host-a=b', undefined],
  ['spawner-token=x', undefined],
  [' Spawner-Token =x; Path=/x', undefined],
  ['__Secure-spawner-token=x', undefined],
  ['=spawner-token=x', undefined],
  ['= spawner-token = x', undefined],
  ['spawner-token', undefined],
  ['a=b\x01', undefined],
  ['a=b; Path=\x7f/', undefined],
  ['spawner-tokens=x'],
  ['a=spawner-token'],
  ['a=__Host-b=c'],
  ['__Hosta=b'],
]);

table('an app that knows its prefix keeps its paths, and gets no wider ones', KEPT, [
  [`a=b; Path=${P}/x`],
  [`a=b; Path=${P}`],
  ['a=b'],
  ['a=b; Path=/', `a=b; Path=${P}/`],
  ['a=b; Path=/x; Secure', `a=b; Path=${P}/; Secure`],
  ['a=b; Path=/p', `a=b; Path=${P}/`],
  ['a=b; Domain=test', 'a=b'],
  ['__Host-a=b; Secure; Path=/', undefined],
  ['__Host-spawner-token=x', undefined],
]);

table('an app at a host of its own may have all of that host', HOST, [
  ['a=b; Path=/'],
  ['a=b; Path=/x'],
  ['__Host-a=b; Secure; Path=/'],
  ['a=b; Domain=apps.test; Path=/', 'a=b; Path=/'],
  ['__Host-Spawner-Token=x; Secure; Path=/', undefined],
  ['=spawner-token=x', undefined],
]);

/** A cookie as a browser keeps it (RFC 6265bis, 5.6): a slow, plain reading of its text. */
interface Kept {
  /** What a server is sent. */
  sent: string;
  path: string;
  hostOnly: boolean;
}

function keep(line: string, requestPath: string): Kept | undefined {
  if ([...line].some((char) => char !== '\t' && (char < ' ' || char === '\x7f'))) return undefined;
  const trim = (text: string) => text.replace(/^[ \t]+|[ \t]+$/g, '');
  const [pair = '', ...attributes] = line.split(';');
  const equals = pair.indexOf('=');
  const name = trim(pair.slice(0, Math.max(equals, 0)));
  const value = trim(pair.slice(equals + 1));
  if (name + value === '') return undefined;
  const folder = requestPath.slice(0, requestPath.lastIndexOf('/')) || '/';
  const kept = { sent: name === '' ? value : `${name}=${value}`, path: folder, hostOnly: true };
  for (const attribute of attributes) {
    const [key = '', ...rest] = attribute.split('=');
    const text = trim(rest.join('='));
    if (text.length > 1024) continue;
    if (trim(key).toLowerCase() === 'path') kept.path = text.startsWith('/') ? text : folder;
    if (trim(key).toLowerCase() === 'domain' && text !== '') kept.hostOnly = false;
  }
  return kept;
}

/** Whether a browser sends a cookie with a request (RFC 6265bis, 5.1.4). */
function isSent(cookie: Kept, path: string): boolean {
  return (
    path === cookie.path ||
    (path.startsWith(cookie.path) && (cookie.path.endsWith('/') || path[cookie.path.length] === '/'))
  );
}

const piece = fc.constantFrom(
  ...[
    'a',
    'b',
    '=',
    '=',
    ';',
    ';',
    ' ',
    '\t',
    '"',
    '/',
    '/x',
    ',',
    '\x01',
    '\xa0',
    'Path',
    'path=',
    'Path=/',
  ],
  ...[
    '; path=/',
    ';PATH=/x',
    'Domain=',
    '; domain=test',
    'spawner-token',
    '__Secure-',
    '__Host-',
    P,
    `${P}/x`,
  ],
  ...['Secure', 'x'.repeat(1025), 'ü'],
);
const line = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

test('no other session is sent a cookie, and the router none that it did not set', (t) => {
  let count = 0;
  fc.assert(
    fc.property(line, fc.constantFrom(PATH, KEPT), (text, context) => {
      const kept = keep(rewriteCookie(text, context) ?? '', `${P}/docs/page`);
      if (kept === undefined) return true;
      count += 1;
      const elsewhere = ['/', '/p/', `/p/${'b'.repeat(26)}/`, `${P}x/`, '/x'];
      return (
        kept.hostOnly &&
        !/^(__secure-|__host-)?spawner-token *(=|$)|^__host-/i.test(kept.sent) &&
        !elsewhere.some((path) => isSent(kept, path))
      );
    }),
    { numRuns: 20_000 },
  );
  t.true(count > 5000, `${count} cookies`);
});

test('nothing but path and domain of a cookie changes', (t) => {
  const others = (text: string) =>
    text.split(';').filter((part, i) => i === 0 || !/^\s*(path|domain)\s*(=|$)/i.test(part));
  fc.assert(
    fc.property(line, fc.constantFrom(PATH, KEPT, HOST), (text, context) => {
      const told = rewriteCookie(text, context);
      t.true(told === undefined || others(told).join(';') === others(text).join(';'));
      if (context === HOST && told !== undefined)
        return keep(told, '/d/p')?.path === keep(text, '/d/p')?.path;
      return true;
    }),
    { numRuns: 5_000 },
  );
});

import test from 'ava';
import type { RewriteContext } from '../../njs/rewrite-context.ts';
import { rewriteUrl } from '../../njs/rewrite-url.ts';

const P = `/p/${'a'.repeat(26)}`;

/** The browser asked for https://apps.test/p/<id>/docs/page?q=/1, the app on 10.0.0.7:8080 for /docs/page?q=/1. */
const PATH: RewriteContext = {
  mode: 'path',
  prefix: P,
  scheme: 'https',
  publicHost: 'apps.test',
  backend: '10.0.0.7:8080',
  rest: '/docs/page?q=/1',
};

/** What the app says, and what the browser is told; once if that is the same. */
type Row = [said: string, told?: string];

function table(title: string, context: RewriteContext, rows: Row[]): void {
  test(title, (t) => {
    for (const [said, told = said] of rows) {
      t.is(rewriteUrl(said, context), told, JSON.stringify(said));
    }
  });
}

table('a path from the root gets the prefix', PATH, [
  ['/', `${P}/`],
  ['/x', `${P}/x`],
  ['/x?a=/b#/c', `${P}/x?a=/b#/c`],
  ['/?x', `${P}/?x`],
  ['/p/', `${P}/p/`],
  ['/x y', `${P}/x y`],
  ['/%2e', `${P}/`],
  ['/ü%2f%20', `${P}/ü%2f%20`],
  ['/x//y', `${P}/x//y`],
  ['/x/http://apps.test/', `${P}/x/http://apps.test/`],
]);

table('a path that has the prefix is left alone', PATH, [
  [P],
  [`${P}/`],
  [`${P}/x`],
  [`${P}?x`],
  [`${P}#x`],
  [`/./x/..${P}/y`],
  [`${P}x`, `${P}${P}x`],
  [`/x${P}`, `${P}/x${P}`],
  [`${P.toUpperCase()}/x`, `${P}${P.toUpperCase()}/x`],
]);

table('a relative reference means the same to app and browser', PATH, [
  [''],
  ['x'],
  ['./x'],
  ['x/../y'],
  ['../x'],
  ['..'],
  ['?a=/b'],
  ['#/c'],
  ['x:y/z'],
  ['a/b:c'],
]);

table('unless it climbs above the root of the app', PATH, [
  ['../../x', `${P}/x`],
  ['../..', `${P}/`],
  ['../../../../p/b/x?y', `${P}/p/b/x?y`],
  ['x/../../../y/', `${P}/y/`],
  ['..\\..\\x', `${P}/x`],
  ['%2e%2E/.%2e/x', `${P}/x`],
  [`../..${P}/x`, `${P}/x`],
]);

table('a path can not climb out of the prefix', PATH, [
  ['/../x', `${P}/x`],
  ['/..', `${P}/`],
  ['/x/../../y', `${P}/y`],
  ['/%2e%2e/x', `${P}/x`],
  ['/%2E./.%2e/x', `${P}/x`],
  ['/..\\x', `${P}/x`],
  ['/%2e%2e%2fx', `${P}/%2e%2e%2fx`],
  ['/.../x', `${P}/.../x`],
  [`${P}/../${'b'.repeat(26)}/x`, `${P}/p/${'b'.repeat(26)}/x`],
  [`${P}/..`, `${P}/p/`],
]);

table('the public host gets the prefix, written as the app wrote it', PATH, [
  ['https://apps.test/x', `https://apps.test${P}/x`],
  ['https://apps.test', `https://apps.test${P}/`],
  ['https://apps.test?x', `https://apps.test${P}/?x`],
  ['https://apps.test#x', `https://apps.test${P}/#x`],
  ['http://apps.test/x', `http://apps.test${P}/x`],
  ['//apps.test/x', `//apps.test${P}/x`],
  ['HTTPS://APPS.Test:443/x', `https://APPS.Test:443${P}/x`],
  ['http://apps.test:80/x', `http://apps.test:80${P}/x`],
  ['https://me:secret@apps.test/x', `https://me:secret@apps.test${P}/x`],
  [`https://apps.test${P}/x`],
  [`https://apps.test${P}/../x`, `https://apps.test${P}/p/x`],
  ['\\\\apps.test\\x', `//apps.test${P}/x`],
  ['///apps.test/x', `//apps.test${P}/x`],
  ['https:/\\/apps.test/x', `https://apps.test${P}/x`],
  ['https:/x', `${P}/x`],
  ['https:x'],
]);

table('the app itself, by any name, is led to without naming it', PATH, [
  ['http://10.0.0.7:8080/x?y#z', `${P}/x?y#z`],
  ['https://10.0.0.7:8080/x', `${P}/x`],
  ['//10.0.0.7:8080/x', `${P}/x`],
  ['http://10.0.0.7:8080', `${P}/`],
  ['http://10.0.0.7:8080?x', `${P}/?x`],
  ['http://localhost:8080/x', `${P}/x`],
  ['http://LOCALHOST:8080/x', `${P}/x`],
  ['http://127.0.0.1:8080/x', `${P}/x`],
  ['http://[::1]:8080/x', `${P}/x`],
  ['http://0.0.0.0:8080/x', `${P}/x`],
  ['http://[::]:8080/x', `${P}/x`],
  ['http://me@localhost:08080/x', `${P}/x`],
  ['http://localhost:8080//evil.test/x', `${P}//evil.test/x`],
  [`http://10.0.0.7:8080${P}/x`, `${P}/x`],
  ['http:10.0.0.7:8080/x', `${P}/x`],
]);

table('other hosts are left alone', PATH, [
  ['https://elsewhere.test/x'],
  ['//elsewhere.test/x'],
  ['https://apps.test:8443/x'],
  ['http://apps.test:443/x'],
  ['https://apps.test.evil.test/x'],
  ['https://apps.test@evil.test/x'],
  ['https://evil.test/https://apps.test/x'],
  ['https://evil.test\\@apps.test/x'],
  ['http://10.0.0.7:8081/x'],
  ['http://localhost/x'],
  ['http://apps.test:port/x'],
  ['http://'],
  ['//'],
]);

table('other schemes are left alone', PATH, [
  ['data:text/html,/x'],
  ['mailto:a@apps.test'],
  ['javascript:location="/x"'],
  ['wss://apps.test/x'],
  ['app.test:/x'],
  ['blob:https://apps.test/x'],
]);

table('blanks, tabs and control characters count as they do in browsers', PATH, [
  ['  /x  ', `${P}/x`],
  ['\x01/x\x1f', `${P}/x`],
  ['/x\x01', `${P}/x`],
  ['/x\x01y', `${P}/x%01y`],
  ['/\t/apps.test/x', `//apps.test${P}/x`],
  ['ht\ttp://localhost:8080/x', `${P}/x`],
  ['/.\t./x', `${P}/x`],
  [' x '],
  [' https://elsewhere.test/ '],
]);

const PLAIN = { ...PATH, scheme: 'http', publicHost: '[::1]:8000', backend: '127.0.0.1:80', rest: '/' };

table('hosts with ports, and ports that need no saying', PLAIN, [
  ['http://[::1]:8000/x', `http://[::1]:8000${P}/x`],
  ['http://127.0.0.1/x', `${P}/x`],
  ['http://localhost:80/x', `${P}/x`],
  ['http://[::1]/x', `${P}/x`],
  ['https://127.0.0.1/x'],
  ['../x', `${P}/x`],
  ['x'],
]);

table('a backend that answers where the public host is', { ...PLAIN, publicHost: 'localhost:80' }, [
  ['http://localhost/x', `http://localhost${P}/x`],
  ['http://127.0.0.1/x', `${P}/x`],
]);

table('a client that sends no Host', { ...PATH, publicHost: '' }, [['//'], ['http:///x'], ['/x', `${P}/x`]]);

const LEFT: Row[] = [
  ['/x'],
  ['/../x'],
  ['../../x'],
  [`${P}/x`],
  ['https://apps.test/x'],
  ['https://elsewhere.test/x'],
  ['http://10.0.0.7:8080/x?y', '/x?y'],
  ['http://localhost:8080', '/'],
  ['http://localhost:8080?x', '/?x'],
  [`//localhost:8080${P}/x`, `${P}/x`],
  ['http://localhost:8080//evil.test/x', '/.//evil.test/x'],
  ['http://localhost:8080/\\evil.test/x', '/.//evil.test/x'],
];
table(
  'an app that knows its prefix names itself',
  { ...PATH, mode: 'path-kept', rest: `${P}/docs/page` },
  LEFT,
);
table('an app at a host of its own names itself', { ...PATH, mode: 'host', prefix: '' }, LEFT);

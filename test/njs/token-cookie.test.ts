import test from 'ava';
import { cookieName, cookieValues, tokenCookie, withoutTokenCookies } from '../../njs/token-cookie.ts';

test('the cookie is as narrow as its place allows', (t) => {
  const path = { mode: 'path', scheme: 'http', prefix: '/p/x' };
  const host = { mode: 'host', scheme: 'http', prefix: '' };
  const rest = 'HttpOnly; SameSite=Lax';
  t.is(tokenCookie('T', path), `spawner-token=T; Path=/p/x/; ${rest}`);
  t.is(
    tokenCookie('T', { ...path, scheme: 'https' }),
    `__Secure-spawner-token=T; Path=/p/x/; ${rest}; Secure`,
  );
  t.is(tokenCookie('T', host), `spawner-token=T; Path=/; ${rest}`);
  t.is(tokenCookie('T', { ...host, scheme: 'https' }), `__Host-spawner-token=T; Path=/; ${rest}; Secure`);
  t.is(cookieName({ ...path, mode: 'path-kept', scheme: 'https' }), '__Secure-spawner-token');
});

test('all values of one name are found, and none of another', (t) => {
  const header =
    'a=1; spawner-token=T;spawner-token=U ; spawner-tokens=V; xspawner-token=W; spawner-token=X=Y';
  t.deepEqual(cookieValues(header, 'spawner-token'), ['T', 'U', 'X=Y']);
  t.deepEqual(cookieValues('', 'spawner-token'), []);
});

for (const [header, kept] of [
  ['spawner-token=T', ''],
  ['a=1; spawner-token=T; b=2', 'a=1; b=2'],
  ['spawner-token=T; a=1', 'a=1'],
  ['a=1; spawner-token=T', 'a=1'],
  ['__Host-spawner-token=T; __Secure-spawner-token=T;a=1', 'a=1'],
  ['SPAWNER-TOKEN=T; __secure-Spawner-Token=T; a', 'a'],
  ['spawner-token = T; =spawner-token=T; spawner-token; a', 'a'],
  ['a=spawner-token=T; spawner-tokens=T', 'a=spawner-token=T; spawner-tokens=T'],
  ['a="x;  y" ;b', 'a="x;  y" ;b'],
] as const) {
  test(`what the app gets of ${header}`, (t) => {
    t.is(withoutTokenCookies(header), kept);
  });
}

import type { Check } from '../row.ts';
import type { Becomes } from '../see-headers.ts';
import { seeHeaders } from '../see-headers.ts';

const COOKIES: [id: string, says: string, cookie: string, becomes: Becomes][] = [
  [
    'root',
    '`Path=/` is the app’s root',
    'a=b; Path=/; HttpOnly',
    {
      path: 'a=b; Path=<prefix>/; HttpOnly',
      'path-kept': 'a=b; Path=<prefix>/; HttpOnly',
      host: 'a=b; Path=/; HttpOnly',
    },
  ],
  [
    'path',
    '`Path=/x` is below it',
    'a=b; path=/x; SameSite=Lax',
    {
      path: 'a=b; path=<prefix>/x; SameSite=Lax',
      'path-kept': 'a=b; path=<prefix>/; SameSite=Lax',
      host: 'a=b; path=/x; SameSite=Lax',
    },
  ],
  ['prefixed', 'a path with the prefix is right', 'a=b; Path=/p/<A>/x', 'a=b; Path=/p/<A>/x'],
  ['domain', 'a domain would reach other sessions', 'a=b; Domain=spawner.test; Secure', 'a=b; Secure'],
  [
    'secure-prefix',
    '`__Secure-` stays',
    '__Secure-a=b; Secure; Path=/',
    {
      path: '__Secure-a=b; Secure; Path=<prefix>/',
      'path-kept': '__Secure-a=b; Secure; Path=<prefix>/',
      host: '__Secure-a=b; Secure; Path=/',
    },
  ],
  [
    'host-prefix',
    '`__Host-` can’t be narrowed to a path: refused where sessions share a host',
    '__Host-a=b; Secure; Path=/',
    { path: '(none)', 'path-kept': '(none)', host: '__Host-a=b; Secure; Path=/' },
  ],
  ['spawners-own', 'Spawner’s own cookie can’t be set by an app', 'spawner-token=x; Path=/', '(none)'],
  ['spawners-secure', 'whatever its prefix and case', '__Secure-Spawner-Token=x; Path=/; Secure', '(none)'],
  ['nameless', 'a nameless cookie can’t pretend to be it', '=spawner-token=x', '(none)'],
  ['value', 'the value is opaque', 'a="b; c=%3B"; Max-Age=5', 'a="b; c=%3B"; Max-Age=5'],
];

export const cookies: Check[] = [
  ...COOKIES.map(
    ([id, says, cookie, expected]): Check => ({
      says: `Set-Cookie: ${says}`,
      expected,
      id: `cookie-${id}`,
      see: (c) => seeHeaders(c, '200 OK', [`Set-Cookie: ${cookie}`]),
    }),
  ),
  {
    id: 'cookies-in-order',
    says: 'ten cookies stay ten, in their order',
    expected: Array.from({ length: 10 }, (_, index) => `c${index}=${index}`).join(' | '),
    see: (c) =>
      seeHeaders(
        c,
        '200 OK',
        Array.from({ length: 10 }, (_, index) => `Set-Cookie: c${index}=${index}`),
      ),
  },
];

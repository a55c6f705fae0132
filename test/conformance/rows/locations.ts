import type { Check } from '../row.ts';
import type { Becomes } from '../see-headers.ts';
import { prefixed, seeHeaders } from '../see-headers.ts';

const LOCATIONS: [id: string, says: string, location: string, becomes: Becomes][] = [
  ['root-relative', '`/x` is meant from the app’s root', '/x?q#f', prefixed('/x?q#f')],
  ['root', '`/` is the app’s root', '/', prefixed('/')],
  ['relative', 'relative ones are right as they are', 'x/y?q', 'x/y?q'],
  ['query-only', 'so is a query alone', '?q', '?q'],
  ['dot-dot', 'and `..` that stays in the app', '../y', '../y'],
  ['prefixed', 'one that names the prefix already is left alone', '/p/<A>/x', '/p/<A>/x'],
  ['lookalike', 'what only begins like the prefix is not it', '/p/<A>x', prefixed('/p/<A>x')],
  ['backend', 'the app’s own address is never shown', 'http://<A backend>/x?q', prefixed('/x?q')],
  ['localhost', 'nor as localhost', 'http://localhost:<port>/x', prefixed('/x')],
  ['backend-root', 'nor without a path', 'http://<A backend>', prefixed('/')],
  [
    'public',
    'the public host is the app’s own',
    'http://<host>/x',
    { path: 'http://<host>/p/<A>/x', 'path-kept': 'http://<host>/x', host: 'http://<host>/x' },
  ],
  ['public-prefixed', 'and may name the prefix', 'http://<host>/p/<A>/x', 'http://<host>/p/<A>/x'],
  [
    'scheme-relative',
    '`//host/x`: the public host',
    '//<host>/x',
    { path: '//<host>/p/<A>/x', 'path-kept': '//<host>/x', host: '//<host>/x' },
  ],
  ['other-origin', 'other origins are left alone', 'https://elsewhere.test/x', 'https://elsewhere.test/x'],
  ['other-port', 'another port is another origin', 'http://<host>:8443/x', 'http://<host>:8443/x'],
  ['other-scheme', 'so are other schemes', 'mailto:a@b.test', 'mailto:a@b.test'],
  ['encoded', 'escapes stay as they are', '/a%2fb%20c', prefixed('/a%2fb%20c')],
];

/** Browsers resolve these outside of the prefix, where another session may be: they must come out below it. */
const CLIMBING = [
  '/../x',
  '/p/<A>/../x',
  '/p/<A>/../<B>/x',
  '/%2e%2e/x',
  '/./../x',
  '../../x',
  '../../../p/<B>/x',
  '/..\\x',
  '\\..\\x',
];

export const locations: Check[] = [
  ...LOCATIONS.map(
    ([id, says, location, expected]): Check => ({
      says: `Location: ${says}`,
      expected,
      id: `location-${id}`,
      see: (c) => seeHeaders(c, '302 Found', [`Location: ${location}`]),
    }),
  ),
  ...CLIMBING.map(
    (location, index): Check => ({
      id: `location-climbing-${index + 1}`,
      says: `Location \`${location}\` leads out of no prefix`,
      modes: ['path'],
      expected: 'below the prefix',
      see: async (c) => {
        const seen = await seeHeaders(c, '302 Found', [`Location: ${location}`], '/dir/page');
        const session = /\/p\/([a-z0-9]{26})\//.exec(seen)?.[1] ?? 'x'.repeat(26);
        const { pathname } = new URL(seen, `http://spawner.test/p/${session}/dir/page`);
        return pathname.startsWith(`/p/${session}/`) && session !== 'b'.repeat(26)
          ? 'below the prefix'
          : seen;
      },
    }),
  ),
  {
    id: 'location-created',
    says: 'Location of a 201 is rewritten, too',
    expected: prefixed('/x'),
    see: (c) => seeHeaders(c, '201 Created', ['Location: /x']),
  },
  {
    id: 'content-location',
    says: 'Content-Location is rewritten like Location',
    expected: prefixed('/x'),
    see: (c) => seeHeaders(c, '200 OK', ['Content-Location: /x']),
  },
  {
    id: 'content-location-304',
    says: 'also of a 304',
    expected: prefixed('/x'),
    see: (c) => seeHeaders(c, '304 Not Modified', ['Content-Location: /x']),
  },
  {
    id: 'refresh',
    says: 'Refresh leads where Location would',
    expected: { path: '5; url=<prefix>/x', 'path-kept': '5; url=/x', host: '5; url=/x' },
    see: (c) => seeHeaders(c, '200 OK', ['Refresh: 5; url=/x']),
  },
  {
    id: 'refresh-plain',
    says: 'Refresh without a URL is left alone',
    expected: '5',
    see: (c) => seeHeaders(c, '200 OK', ['Refresh: 5']),
  },
  {
    id: 'link',
    says: 'every target of a Link, repeated ones too; parameters stay',
    expected: {
      path: '<<prefix>/a.css>; rel=preload; as=style, <b.js>; rel=preload, <https://cdn.test/c>; rel=preconnect',
      'path-kept':
        '</a.css>; rel=preload; as=style, <b.js>; rel=preload, <https://cdn.test/c>; rel=preconnect',
      host: '</a.css>; rel=preload; as=style, <b.js>; rel=preload, <https://cdn.test/c>; rel=preconnect',
    },
    // One line or two is the same (RFC 9110, 5.3).
    see: async (c) =>
      (
        await seeHeaders(c, '200 OK', [
          'Link: </a.css>; rel=preload; as=style, <b.js>; rel=preload',
          'Link: <https://cdn.test/c>; rel=preconnect',
        ])
      ).replaceAll(' | ', ', '),
  },
];

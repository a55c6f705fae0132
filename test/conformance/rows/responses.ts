import { gzipSync } from 'node:zlib';
import type { Case } from '../case.ts';
import type { Row } from '../row.ts';

const group = 'Responses';

/** What the app's answer headers become. `{path, …}` where modes differ; a text where they do not. */
type Becomes = Row['expected'];

const PREFIXED = (rest: string): Becomes => ({ path: `<prefix>${rest}`, 'path-kept': rest, host: rest });

const LOCATIONS: [id: string, says: string, location: string, becomes: Becomes][] = [
  ['root-relative', '`/x` is meant from the app’s root', '/x?q#f', PREFIXED('/x?q#f')],
  ['root', '`/` is the app’s root', '/', PREFIXED('/')],
  ['relative', 'relative ones are right as they are', 'x/y?q', 'x/y?q'],
  ['query-only', 'so is a query alone', '?q', '?q'],
  ['dot-dot', 'and `..` that stays in the app', '../y', '../y'],
  ['prefixed', 'one that names the prefix already is left alone', '/p/<A>/x', '/p/<A>/x'],
  ['lookalike', 'what only begins like the prefix is not it', '/p/<A>x', PREFIXED('/p/<A>x')],
  ['backend', 'the app’s own address is never shown', 'http://<A backend>/x?q', PREFIXED('/x?q')],
  ['localhost', 'nor as localhost', 'http://localhost:<port>/x', PREFIXED('/x')],
  ['backend-root', 'nor without a path', 'http://<A backend>', PREFIXED('/')],
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
  ['encoded', 'escapes stay as they are', '/a%2fb%20c', PREFIXED('/a%2fb%20c')],
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

/** Answers with these header lines; returns the answer's lines of the same names. */
async function seeHeaders(c: Case, status: string, lines: string[], rest = '/dir/page'): Promise<string> {
  const session = await c.session((visit) => {
    const port = session.address.slice(session.address.indexOf(':') + 1);
    const filled = lines.map((line) =>
      line
        .replaceAll('<A backend>', session.address)
        .replaceAll('<port>', port)
        .replaceAll('<host>', session.host)
        .replaceAll('<A>', session.id)
        .replaceAll('<B>', 'b'.repeat(26)),
    );
    visit.end([`HTTP/1.1 ${status}`, ...filled, 'Content-Length: 0', '', ''].join('\r\n'));
  });
  const reply = await session.get(rest);
  const names = [...new Set(lines.map((line) => line.slice(0, line.indexOf(':'))))];
  return names.map((name) => reply.header(name) ?? '(none)').join(', ');
}

export const responses: Row[] = [
  ...LOCATIONS.map(
    ([id, says, location, expected]): Row => ({
      ...{ group, says: `Location: ${says}`, expected, id: `location-${id}` },
      see: (c) => seeHeaders(c, '302 Found', [`Location: ${location}`]),
    }),
  ),
  ...CLIMBING.map(
    (location, index): Row => ({
      ...{
        group,
        id: `location-climbing-${index + 1}`,
        says: `Location \`${location}\` leads out of no prefix`,
      },
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
    ...{
      group,
      id: 'location-created',
      says: 'Location of a 201 is rewritten, too',
      expected: PREFIXED('/x'),
    },
    see: (c) => seeHeaders(c, '201 Created', ['Location: /x']),
  },
  {
    ...{ group, id: 'content-location', says: 'Content-Location is rewritten like Location' },
    expected: PREFIXED('/x'),
    see: (c) => seeHeaders(c, '200 OK', ['Content-Location: /x']),
  },
  {
    ...{ group, id: 'content-location-304', says: 'also of a 304', expected: PREFIXED('/x') },
    see: (c) => seeHeaders(c, '304 Not Modified', ['Content-Location: /x']),
  },
  {
    ...{ group, id: 'refresh', says: 'Refresh leads where Location would' },
    expected: { path: '5; url=<prefix>/x', 'path-kept': '5; url=/x', host: '5; url=/x' },
    see: (c) => seeHeaders(c, '200 OK', ['Refresh: 5; url=/x']),
  },
  {
    ...{ group, id: 'refresh-plain', says: 'Refresh without a URL is left alone', expected: '5' },
    see: (c) => seeHeaders(c, '200 OK', ['Refresh: 5']),
  },
  {
    ...{ group, id: 'link', says: 'every target of a Link, repeated ones too; parameters stay' },
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
  ...COOKIES.map(
    ([id, says, cookie, expected]): Row => ({
      ...{ group, says: `Set-Cookie: ${says}`, expected, id: `cookie-${id}` },
      see: (c) => seeHeaders(c, '200 OK', [`Set-Cookie: ${cookie}`]),
    }),
  ),
  {
    ...{ group, id: 'cookies-in-order', says: 'ten cookies stay ten, in their order' },
    expected: Array.from({ length: 10 }, (_, index) => `c${index}=${index}`).join(' | '),
    see: (c) =>
      seeHeaders(
        c,
        '200 OK',
        Array.from({ length: 10 }, (_, index) => `Set-Cookie: c${index}=${index}`),
      ),
  },
  {
    ...{ group, id: 'statuses', says: 'every status reaches the client with the app’s own words' },
    expected:
      '200 201 202 203 206 226 299 300 301 400 401 403 404 405 409 410 413 418 422 429 451 494 497 499 500 501 502 503 504 507 599',
    see: async (c) => {
      const session = await c.session((visit) => {
        const status = /\/(\d+) HTTP/.exec(visit.line)?.[1];
        visit.end(`HTTP/1.1 ${status} My Words\r\nContent-Length: ${8 - 3}\r\n\r\n${'words'}`);
      });
      const statuses = [
        200, 201, 202, 203, 206, 226, 299, 300, 301, 400, 401, 403, 404, 405, 409, 410, 413, 418,
      ];
      statuses.push(422, 429, 451, 494, 497, 499, 500, 501, 502, 503, 504, 507, 599);
      const replies = await Promise.all(statuses.map((status) => session.get(`/${status}`)));
      return replies
        .map(({ status, line, body }) =>
          line === `HTTP/1.1 ${status} My Words` && body === 'words' ? status : line,
        )
        .join(' ');
    },
  },
  {
    ...{ group, id: 'headers-kept', says: 'headers nobody knows stay, in order, repeated or odd' },
    expected:
      'X-One: 1, X-Two: a, x-two: b, X_Under: _, X-Empty:, X-Bytes: \xff\xe9, Content-Type: text/odd; charset="x"',
    see: async (c) => {
      const sent = ['X-One: 1', 'X-Two: a', 'x-two: b', 'X_Under: _', 'X-Empty:', 'X-Bytes: \xff\xe9'];
      const session = await c.session((visit) =>
        visit.end(
          [
            'HTTP/1.1 200 OK',
            ...sent,
            'Content-Type: text/odd; charset="x"',
            'Content-Length: 0',
            '',
            '',
          ].join('\r\n'),
        ),
      );
      const { headers } = await session.get('/');
      const odd = headers.filter((line) => /^(x|content-type)/i.test(line)).map((line) => line.trim());
      // nginx writes Content-Type first.
      return odd.sort((a, b) => Number(a.startsWith('Content')) - Number(b.startsWith('Content'))).join(', ');
    },
  },
  {
    ...{ group, id: 'policies-kept', says: 'CORS, CSP, caching and the like are the app’s own' },
    expected: '*, default-src \'none\', max-age=5, "e", DENY',
    see: (c) =>
      seeHeaders(c, '200 OK', [
        'Access-Control-Allow-Origin: *',
        "Content-Security-Policy: default-src 'none'",
        'Cache-Control: max-age=5',
        'ETag: "e"',
        'X-Frame-Options: DENY',
      ]),
  },
  {
    ...{
      group,
      id: 'origin-wide',
      says: 'headers that speak for the whole origin pass only where it is the session’s',
    },
    expected: {
      path: '(none), (none), (none)',
      'path-kept': '(none), (none), (none)',
      host: '"*", /, max-age=5',
    },
    see: (c) =>
      seeHeaders(c, '200 OK', [
        'Clear-Site-Data: "*"',
        'Service-Worker-Allowed: /',
        'Strict-Transport-Security: max-age=5',
      ]),
  },
  {
    ...{ group, id: 'long-headers', says: '7 KB of headers fit', expected: '7168' },
    see: async (c) => String((await seeHeaders(c, '200 OK', [`X-Long: ${'x'.repeat(7168)}`])).length),
  },
  {
    ...{
      group,
      id: 'server-name',
      says: 'Server and Date are nginx’s, without its version',
      expected: 'nginx',
    },
    see: (c) => seeHeaders(c, '200 OK', ['Server: secret/1.2']),
  },
  {
    ...{
      group,
      id: 'compressed',
      says: 'compressed bodies pass untouched',
      expected: 'gzip, the same bytes',
    },
    see: async (c) => {
      const bytes = gzipSync('/p/ and http://127.0.0.1 '.repeat(50)).toString('latin1');
      const session = await c.session((visit) =>
        visit.end(
          `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n\r\n${bytes}`,
        ),
      );
      const reply = await session.get('/', ['Accept-Encoding: gzip']);
      return `${reply.header('content-encoding')}, ${reply.body === bytes ? 'the same bytes' : 'other bytes'}`;
    },
  },
  {
    ...{ group, id: 'body-untouched', says: 'nothing in a body is rewritten or compressed' },
    expected: 'the same, not encoded',
    see: async (c) => {
      const body = '<a href="/x">http://127.0.0.1/</a>'.repeat(100);
      const session = await c.session((visit) =>
        visit.end(
          `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        ),
      );
      const reply = await session.get('/', ['Accept-Encoding: gzip, br']);
      return `${reply.body === body ? 'the same' : 'another'}, ${reply.header('content-encoding') ?? 'not encoded'}`;
    },
  },
  {
    ...{ group, id: 'no-body', says: '204 and 304 have no body, and what follows is not mistaken for one' },
    expected: '204 "", 304 "", 200 "after"',
    see: async (c) => {
      const session = await c.session((visit) => {
        const status = /\/(\d+) HTTP/.exec(visit.line)?.[1];
        const body = status === '200' ? 'Content-Length: 5\r\n\r\nafter' : '\r\n';
        visit.end(`HTTP/1.1 ${status} Status\r\n${body}`);
      });
      const client = session.dial();
      const seen = [];
      for (const status of [204, 304, 200]) {
        client.send(session.head(`/${status}`).replace('close', 'keep-alive'));
        const reply = await client.reply();
        seen.push(`${reply?.status} ${JSON.stringify(reply?.body)}`);
      }
      return seen.join(', ');
    },
  },
  {
    ...{ group, id: 'trailers', says: 'trailers reach a client that takes them', expected: 'body, X-Sum: 1' },
    limits: [
      {
        on: { line: 'stable' },
        sees: 'body, none',
        because: 'nginx can pass trailers of backends from 1.27.2 on',
      },
    ],
    see: async (c) => {
      const session = await c.session((visit) =>
        visit.end(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 1\r\n\r\n',
        ),
      );
      const client = session.dial();
      client.send(session.head('/', ['TE: trailers']).replace('close', 'TE, close'));
      const reply = await client.reply();
      return `${reply?.body}, ${reply?.trailers.join() || 'none'}`;
    },
  },
  ...[100, 102, 103, 199].map(
    (status): Row => ({
      ...{
        group,
        id: `interim-${status}`,
        says: `what follows a ${status} of an app is looked at as any answer is`,
      },
      modes: ['path', 'path-kept'],
      expected: 'no wide cookie',
      see: async (c) => {
        const session = await c.session((visit) =>
          visit.end(
            `HTTP/1.1 ${status} Wait\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n`,
          ),
        );
        const reply = await session.get('/');
        return reply.header('set-cookie') === 'a=b; Path=/'
          ? `${reply.status} with a wide cookie`
          : 'no wide cookie';
      },
    }),
  ),
  {
    ...{
      group,
      id: 'early-hints-http1',
      says: '103 is not sent to HTTP/1.1, where old clients take it for the answer',
    },
    expected: '200 after 0 interim answers',
    limits: [],
    see: async (c) => {
      const session = await c.session((visit) =>
        visit.end(
          'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
        ),
      );
      const reply = await session.get('/');
      return `${reply.status} after ${reply.interim.length} interim answers`;
    },
  },
];

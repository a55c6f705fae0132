import { gzipSync } from 'node:zlib';
import type { Check } from '../row.ts';
import { seeHeaders } from '../see-headers.ts';

export const answers: Check[] = [
  {
    id: 'statuses',
    says: 'every status reaches the client with the app’s own words',
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
    id: 'headers-kept',
    says: 'headers nobody knows stay, in order, repeated or odd',
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
    id: 'policies-kept',
    says: 'CORS, CSP, caching and the like are the app’s own',
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
    id: 'origin-wide',
    says: 'headers that speak for the whole origin pass only where it is the session’s; those for a whole domain never',
    expected: {
      path: '(none), (none), (none)',
      'path-kept': '(none), (none), (none)',
      host: '(none), /, max-age=5',
    },
    see: (c) =>
      seeHeaders(c, '200 OK', [
        'Clear-Site-Data: "*"',
        'Service-Worker-Allowed: /',
        'Strict-Transport-Security: max-age=5',
      ]),
  },
  {
    id: 'long-headers',
    says: '7 KB of headers fit',
    expected: '7168',
    see: async (c) => String((await seeHeaders(c, '200 OK', [`X-Long: ${'x'.repeat(7168)}`])).length),
  },
  {
    id: 'server-name',
    says: 'Server and Date are nginx’s, without its version',
    expected: 'nginx',
    see: (c) => seeHeaders(c, '200 OK', ['Server: secret/1.2']),
  },
  {
    id: 'compressed',
    says: 'compressed bodies pass untouched',
    expected: 'gzip, the same bytes',
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
    id: 'body-untouched',
    says: 'nothing in a body is rewritten or compressed',
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
    id: 'no-body',
    says: '204 and 304 have no body, and what follows is not mistaken for one',
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
];

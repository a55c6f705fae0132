import type { Session } from '../case.ts';
import type { Check } from '../row.ts';

/** Requests that parsers read in more than one way; each carries a second request that must never be seen. */
const SMUGGLED = (session: Session) => session.head('/smuggled');

const SMUGGLING: [id: string, says: string, make: (session: Session) => string][] = [
  [
    'cl-te',
    'Content-Length beside Transfer-Encoding',
    (s) => post(s, ['Content-Length: 4', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  ],
  [
    'te-cl',
    'the same the other way round',
    (s) => post(s, ['Transfer-Encoding: chunked', 'Content-Length: 4'], '0\r\n\r\n'),
  ],
  ['cl-cl', 'two Content-Lengths', (s) => post(s, ['Content-Length: 0', 'Content-Length: 9'])],
  ['cl-list', '`Content-Length: 0, 9`', (s) => post(s, ['Content-Length: 0, 9'])],
  ['cl-plus', '`Content-Length: +0`', (s) => post(s, ['Content-Length: +0'])],
  ['cl-hex', '`Content-Length: 0x0`', (s) => post(s, ['Content-Length: 0x0'])],
  ['cl-negative', '`Content-Length: -1`', (s) => post(s, ['Content-Length: -1'])],
  ['te-other', '`Transfer-Encoding: xchunked`', (s) => post(s, ['Transfer-Encoding: xchunked'], '0\r\n\r\n')],
  [
    'te-list',
    '`Transfer-Encoding: chunked, identity`',
    (s) => post(s, ['Transfer-Encoding: chunked, identity'], '0\r\n\r\n'),
  ],
  [
    'te-te',
    'two Transfer-Encodings',
    (s) => post(s, ['Transfer-Encoding: chunked', 'Transfer-Encoding: x'], '0\r\n\r\n'),
  ],
  [
    'te-http10',
    'chunks in HTTP/1.0',
    (s) => post(s, ['Transfer-Encoding: chunked'], '0\r\n\r\n').replace('HTTP/1.1', 'HTTP/1.0'),
  ],
  [
    'space-colon',
    '`Transfer-Encoding : chunked`',
    (s) => post(s, ['Transfer-Encoding : chunked', 'Content-Length: 5'], '0\r\n\r\n'),
  ],
  [
    'chunk-size',
    'a chunk’s size that is no number',
    (s) => post(s, ['Transfer-Encoding: chunked'], 'g\r\n\r\n0\r\n\r\n'),
  ],
  [
    'chunk-overflow',
    'a chunk’s size beyond 64 bits',
    (s) => post(s, ['Transfer-Encoding: chunked'], `1${'0'.repeat(16)}\r\n\r\n0\r\n\r\n`),
  ],
  ['nul', 'a NUL in a header', (s) => post(s, ['X-Nul: a\0b', 'Content-Length: 0'])],
];

function post(session: Session, headers: string[], body = ''): string {
  return session.head('/', headers, 'POST').replace('Connection: close\r\n', '') + body;
}

export const smuggling: Check[] = [
  ...SMUGGLING.map(
    ([id, says, make]): Check => ({
      id: `smuggling-${id}`,
      says: `${says}: no second request is made of what follows`,
      expected: 'nothing smuggled',
      see: async (c) => {
        const session = await c.session();
        const client = session.dial();
        client.send(
          make(session) + SMUGGLED(session).replaceAll(session.target('/smuggled'), session.target('/next')),
        );
        await client.bytes.rest();
        const lines = session.visits.map(({ line }) => line);
        // What follows a refused request is not read any more; what follows a served one is a request of its own.
        const bad = lines.filter((line) => !/^POST \S*\/ HTTP/.test(line));
        return bad.length === 0 ? 'nothing smuggled' : bad.join(', ');
      },
    }),
  ),
  {
    id: 'body-is-body',
    says: 'what looks like a request in a body is the body',
    expected: 'POST 1, 200, GET 0, 200',
    see: async (c) => {
      const seen: string[] = [];
      const session = await c.session(async (visit) => {
        const inside = (await visit.body()).includes('/smuggled') ? 1 : 0;
        seen.push(`${visit.line.split(' ')[0]} ${inside}`);
        visit.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
      const client = session.dial();
      const body = SMUGGLED(session);
      client.send(post(session, [`Content-Length: ${body.length}`], body) + session.head('/'));
      const first = await client.reply();
      const second = await client.reply();
      return `${seen[0]}, ${first?.status}, ${seen[1]}, ${second?.status}`;
    },
  },
  {
    id: 'h2c-preface',
    says: 'HTTP/2 without TLS is not spoken',
    expected: 'nobody',
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
      const answer = await client.bytes.rest();
      return answer.startsWith('\0') ? 'HTTP/2' : session.visits.length === 0 ? 'nobody' : 'A';
    },
  },
  {
    id: 'odd-versions',
    says: 'other versions of HTTP reach nobody, or the app as HTTP/1.1',
    expected: 'HTTP/1.2: A, HTTP/2.0: nobody, HTTP/3: nobody, http/1.1: nobody, HTTP/0.9: nobody',
    see: async (c) => {
      const seen = [];
      for (const version of ['HTTP/1.2', 'HTTP/2.0', 'HTTP/3', 'http/1.1', 'HTTP/0.9']) {
        const session = await c.session();
        const client = session.dial();
        client.send(session.head('/').replace('HTTP/1.1', version));
        await client.bytes.rest();
        seen.push(`${version}: ${session.visits.length === 0 ? 'nobody' : 'A'}`);
      }
      return seen.join(', ');
    },
  },
];

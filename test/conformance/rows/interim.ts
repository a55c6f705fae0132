import { plain } from '../app.ts';
import type { Check } from '../row.ts';

/** What nginx would pass on as it is: by id, what it is, the app's bytes, and headers of the request. */
const UNFRAMED: Record<string, [says: string, answer: string, headers?: string[]]> = {
  'interim-100': ['a 100 of an app, and what follows it,', 'HTTP/1.1 100 Continue'],
  'interim-102': ['a 102', 'HTTP/1.1 102 Processing'],
  'interim-199': ['a 199', 'HTTP/1.1 199 Wait'],
  'interim-101': ['a 101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket'],
  'interim-h2c': [
    'a 101 to what is no WebSocket',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c',
    ['Upgrade: h2c'],
  ],
  'status-099': ['a status below 100', 'HTTP/1.1 099 Low'],
  'status-line-feed': ['a line before the status line', '\nHTTP/1.1 200 OK'],
  'status-2000': ['a status of four digits', 'HTTP/1.1 2000 OK'],
  'status-tab': ['a tab in the status line', 'HTTP/1.1 200\tOK'],
  'status-none': ['what has no status line', 'hello'],
};

export const interim: Check[] = [
  {
    id: 'trailers',
    says: 'trailers reach a client that takes them',
    expected: 'body, X-Sum: 1',
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
  ...Object.entries(UNFRAMED).map(
    ([id, [says, answer, headers = []]]): Check => ({
      id,
      says: `${says} is passed on to nobody`,
      expected: 'closed, nothing sent',
      see: async (c) => {
        const session = await c.session((visit) =>
          visit.end(
            `${answer}\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n`,
          ),
        );
        const client = session.dial();
        client.send(session.head('/', headers).replace('close', 'keep-alive'));
        const sent = await client.bytes.rest();
        return `closed, ${sent === '' ? 'nothing' : sent} sent`;
      },
    }),
  ),
  {
    id: 'interim-next',
    says: 'nor does it become the answer to the next request on the connection',
    expected: 'B says B',
    see: async (c) => {
      const a = await c.session((visit) =>
        visit.end(
          'HTTP/1.1 102 Processing\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nA',
        ),
      );
      const b = await c.session((visit) => visit.end(plain('B')));
      const client = a.dial();
      client.send(a.head('/').replace('close', 'keep-alive'));
      await client.reply();
      client.send(b.head('/'));
      // If the router has closed the connection, a browser asks on another.
      const second = (await client.reply()) ?? (await b.get('/'));
      return `B says ${second.body}`;
    },
  },
  {
    id: 'early-hints-http1',
    says: '103 is not sent to HTTP/1.1, where old clients take it for the answer',
    expected: '200 after 0 interim answers',
    limits: [
      {
        on: { line: 'stable' },
        sees: 'failed: the router closed the connection without an answer',
        because: 'nginx before 1.29 takes an interim answer for the answer, which the router then refuses',
      },
    ],
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

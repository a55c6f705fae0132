import { plain } from '../app.ts';
import type { Check } from '../row.ts';

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
  ...[100, 102, 103, 199].map(
    (status): Check => ({
      id: `interim-${status}`,
      says: `what follows a ${status} of an app is looked at as any answer is`,
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
        sees: '502 after 0 interim answers',
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

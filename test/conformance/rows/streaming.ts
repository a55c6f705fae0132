import { randomBytes } from 'node:crypto';
import type { Visit } from '../app.ts';
import { plain } from '../app.ts';
import type { Check } from '../row.ts';

const MIB = 1024 * 1024;

export const streaming: Check[] = [
  {
    id: 'sse',
    says: 'an event arrives before the next one is sent',
    expected: 'text/event-stream, data: 1, data: 2',
    see: async (c) => {
      let next = () => {};
      const session = await c.session((visit) => {
        visit.send(
          'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
        );
        visit.send('9\r\ndata: 1\n\n\r\n');
        next = () => visit.end('9\r\ndata: 2\n\n\r\n0\r\n\r\n');
      });
      const client = session.dial();
      client.send(session.head('/', ['Accept: text/event-stream']));
      const head = await client.bytes.until('\r\n\r\n');
      const first = await client.bytes.until('\n\n');
      next();
      const second = await client.bytes.until('\n\n');
      const data = [first, second].map((event) => /data: \d/.exec(event ?? '')?.[0]);
      return [/text\/event-stream/.exec(head ?? '')?.[0], ...data].join(', ');
    },
  },
  {
    id: 'head-first',
    says: 'the head of an answer arrives before its body',
    expected: '200, then late',
    see: async (c) => {
      let body = () => {};
      const session = await c.session((visit) => {
        visit.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n');
        body = () => visit.end('late');
      });
      const client = session.dial();
      client.send(session.head('/'));
      const head = await client.bytes.until('\r\n\r\n');
      body();
      return `${head?.split(' ')[1]}, then ${await client.bytes.exactly(4)}`;
    },
  },
  {
    id: 'long-poll',
    says: 'an answer may take longer than any timeout of requests',
    expected: '200 at last',
    see: async (c) => {
      const session = await c.session(async (visit) => {
        await c.pause(2500);
        visit.end(plain('at last'));
      }, 'hasty');
      const reply = await session.get('/');
      return `${reply.status} ${reply.body}`;
    },
  },
  {
    id: 'big-download',
    says: '8 MiB down, in odd pieces, arrive whole',
    expected: 'the same',
    see: async (c) => {
      const body = randomBytes(8 * MIB).toString('latin1');
      const session = await c.session((visit) => {
        visit.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        for (let at = 0, size = 1; at < body.length; at += size, size = (size * 7) % 300_007) {
          const piece = body.slice(at, at + size);
          visit.send(`${piece.length.toString(16)}\r\n${piece}\r\n`);
        }
        visit.end('0\r\n\r\n');
      });
      return (await session.get('/')).body === body ? 'the same' : 'another';
    },
  },
  {
    id: 'slow-reader',
    says: 'a client that does not read stops the app from sending',
    expected: 'the app had to wait, then all 64 MiB arrived',
    see: async (c) => {
      let app: Visit | undefined;
      const session = await c.session((visit) => {
        visit.send(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * MIB}\r\n\r\n`);
        for (let sent = 0; sent < 64; sent++) visit.send('x'.repeat(MIB));
        app = visit;
      });
      const client = session.dial();
      client.send(session.head('/'));
      await client.bytes.until('\r\n\r\n');
      const stuck = await c.settled(() => app?.socket.writableLength ?? 0);
      let bytes = 0;
      while (bytes < 64 * MIB) bytes += (await client.bytes.some())?.length ?? Number.NaN;
      return `the app ${stuck > 0 ? 'had to wait' : 'sent it all'}, then ${bytes === 64 * MIB ? 'all' : bytes} 64 MiB arrived`;
    },
  },
  {
    id: 'range',
    says: 'ranges are between client and app',
    expected: '206 bytes 2-3/10 "cd", asked for bytes=2-3 if "e"',
    see: async (c) => {
      const session = await c.session((visit) =>
        visit.end(
          'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-3/10\r\nContent-Length: 2\r\n\r\ncd',
        ),
      );
      const reply = await session.get('/', ['Range: bytes=2-3', 'If-Range: "e"']);
      const asked = ['range', 'if-range'].map((name) => session.visits[0]?.header(name)).join(' if ');
      return `${reply.status} ${reply.header('content-range')} ${JSON.stringify(reply.body)}, asked for ${asked}`;
    },
  },
  {
    id: 'range-ignored',
    says: 'an app that knows no ranges is not helped out',
    expected: '200 abcdefghij',
    see: async (c) => {
      const session = await c.session((visit) => visit.end(plain('abcdefghij', 'Accept-Ranges: none')));
      const reply = await session.get('/', ['Range: bytes=2-3']);
      return `${reply.status} ${reply.body}`;
    },
  },
  {
    id: 'client-leaves',
    says: 'the app hears when a client leaves in the middle of an answer',
    expected: 'heard',
    see: async (c) => {
      const { promise: heard, resolve } = Promise.withResolvers<void>();
      const session = await c.session((visit) => {
        visit.send('HTTP/1.1 200 OK\r\n\r\nthe first bytes');
        void visit.bytes.ended.then(() => resolve());
      });
      const client = session.dial();
      client.send(session.head('/'));
      await client.bytes.until('the first bytes');
      client.close();
      await heard;
      return 'heard';
    },
  },
  {
    id: 'app-leaves',
    says: 'an answer that is cut off is not taken for whole',
    expected: 'sized: (cut off), chunked: hello(cut off)',
    see: async (c) => {
      const cut = async (head: string) => {
        const session = await c.session((visit) => visit.end(`HTTP/1.1 200 OK\r\n${head}`));
        return (await session.get('/')).body;
      };
      const sized = await cut('Content-Length: 10\r\n\r\nhello');
      return `sized: ${sized}, chunked: ${await cut('Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')}`;
    },
  },
  {
    id: 'until-close',
    says: 'an answer that ends with its connection has an end for the client',
    expected: 'hello, chunked',
    see: async (c) => {
      const session = await c.session((visit) => visit.end('HTTP/1.0 200 OK\r\n\r\nhello'));
      const client = session.dial();
      client.send(session.head('/').replace('close', 'keep-alive'));
      const reply = await client.reply();
      return `${reply?.body}, ${reply?.header('transfer-encoding')}`;
    },
  },
];

import { createHash, randomBytes } from 'node:crypto';
import { plain, type Visit } from '../app.ts';
import type { Session } from '../case.ts';
import type { Row } from '../row.ts';

const group = 'Streaming';
const MIB = 1024 * 1024;

/** The head of an upload; `framing` says how its body is told. */
function upload(session: Session, framing: string, method = 'POST'): string {
  return session.head('/x', [framing], method);
}

const digest = (bytes: string) => createHash('sha1').update(bytes, 'latin1').digest('hex');

export const streaming: Row[] = [
  {
    ...{ group, id: 'sse', says: 'an event arrives before the next one is sent' },
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
    ...{
      group,
      id: 'head-first',
      says: 'the head of an answer arrives before its body',
      expected: '200, then late',
    },
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
    ...{
      group,
      id: 'long-poll',
      says: 'an answer may take longer than any timeout of requests',
      expected: '200 at last',
    },
    see: async (c) => {
      const session = await c.session(async (visit) => {
        await c.pause(1500);
        visit.end(plain('at last'));
      }, 'hasty');
      const reply = await session.get('/');
      return `${reply.status} ${reply.body}`;
    },
  },
  ...(['Content-Length: 9', 'Transfer-Encoding: chunked'] as const).map(
    (framing): Row => ({
      ...{ group, id: `upload-${framing.startsWith('C') ? 'sized' : 'chunked'}` },
      says: `the first byte of an upload (\`${framing.replace(/\d+/, 'n')}\`) arrives before its last is sent`,
      expected: 'first, then firstlast',
      see: async (c) => {
        const chunk = (text: string) =>
          framing.startsWith('C') ? text : `${text.length.toString(16)}\r\n${text}\r\n`;
        const { promise: began, resolve } = Promise.withResolvers<string>();
        const session = await c.session(async (visit) => {
          const first = await visit.bytes.until('first');
          resolve(first?.slice(-5) ?? '');
          const rest = await visit.bytes.until('last');
          visit.end(plain(`first${rest?.slice(-4)}`));
        });
        const client = session.dial();
        client.send(upload(session, framing) + chunk('first'));
        const first = await began;
        client.send(chunk('last') + (framing.startsWith('C') ? '' : '0\r\n\r\n'));
        return `${first}, then ${(await client.reply())?.body}`;
      },
    }),
  ),
  {
    ...{
      group,
      id: 'early-answer',
      says: 'an app may answer before an upload is over',
      expected: '413 enough',
    },
    see: async (c) => {
      const session = await c.session((visit) =>
        visit.end('HTTP/1.1 413 Content Too Large\r\nContent-Length: 6\r\n\r\nenough'),
      );
      const client = session.dial();
      client.send(`${upload(session, 'Content-Length: 1000000')}the first bytes`);
      const reply = await client.reply();
      return `${reply?.status} ${reply?.body}`;
    },
  },
  {
    ...{ group, id: 'expect-continue', says: '`Expect: 100-continue` is answered before the body is sent' },
    expected: 'HTTP/1.1 100 Continue, then 200 hello',
    see: async (c) => {
      const session = await c.session(async (visit) => visit.end(plain(await visit.body())));
      const client = session.dial();
      client.send(upload(session, 'Content-Length: 5\r\nExpect: 100-continue'));
      const interim = await client.bytes.until('\r\n\r\n');
      client.send('hello');
      const reply = await client.reply();
      return `${interim?.trim()}, then ${reply?.status} ${reply?.body}`;
    },
  },
  {
    ...{ group, id: 'big-upload', says: '8 MiB up, in odd pieces, arrive whole', expected: 'the same' },
    see: async (c) => {
      const session = await c.session(async (visit) => visit.end(plain(digest(await visit.body()))));
      const body = randomBytes(8 * MIB).toString('latin1');
      const client = session.dial();
      client.send(upload(session, 'Transfer-Encoding: chunked'));
      for (let at = 0, size = 1; at < body.length; at += size, size = (size * 7) % 300_007) {
        const piece = body.slice(at, at + size);
        client.send(`${piece.length.toString(16)}\r\n${piece}\r\n`);
      }
      client.send('0\r\n\r\n');
      return (await client.reply())?.body === digest(body) ? 'the same' : 'another';
    },
  },
  {
    ...{ group, id: 'big-download', says: '8 MiB down, in odd pieces, arrive whole', expected: 'the same' },
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
    ...{ group, id: 'slow-reader', says: 'a client that does not read stops the app from sending' },
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
    ...{ group, id: 'slow-app', says: 'an app that does not read stops the client from sending' },
    expected: 'the client had to wait, then all 64 MiB arrived',
    see: async (c) => {
      const { promise: arrived, resolve } = Promise.withResolvers<number>();
      let read = () => {};
      const session = await c.session(async (visit) => {
        await new Promise<void>((begin) => {
          read = begin;
        });
        resolve((await visit.body()).length);
        visit.end(plain(''));
      });
      const client = session.dial();
      client.send(upload(session, `Content-Length: ${64 * MIB}`));
      for (let sent = 0; sent < 64; sent++) client.send('x'.repeat(MIB));
      await c.until(() => session.visits.length === 1);
      const stuck = await c.settled(() => client.socket.writableLength);
      read();
      const bytes = await arrived;
      return `the client ${stuck > 0 ? 'had to wait' : 'sent it all'}, then ${bytes === 64 * MIB ? 'all' : bytes} 64 MiB arrived`;
    },
  },
  {
    ...{ group, id: 'range', says: 'ranges are between client and app' },
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
    ...{
      group,
      id: 'range-ignored',
      says: 'an app that knows no ranges is not helped out',
      expected: '200 abcdefghij',
    },
    see: async (c) => {
      const session = await c.session((visit) => visit.end(plain('abcdefghij', 'Accept-Ranges: none')));
      const reply = await session.get('/', ['Range: bytes=2-3']);
      return `${reply.status} ${reply.body}`;
    },
  },
  {
    ...{ group, id: 'client-leaves', says: 'the app hears when a client leaves in the middle of an answer' },
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
    ...{
      group,
      id: 'uploader-leaves',
      says: 'an upload that is cut off is not taken for whole',
      expected: 'cut off',
    },
    see: async (c) => {
      const { promise: heard, resolve } = Promise.withResolvers<string>();
      const session = await c.session(async (visit) => {
        resolve((await visit.bytes.until('0\r\n\r\n')) === undefined ? 'cut off' : 'whole');
      });
      const client = session.dial();
      client.send(`${upload(session, 'Transfer-Encoding: chunked')}5\r\nhello\r\n`);
      await c.until(() => session.visits.length === 1);
      client.close();
      return heard;
    },
  },
  {
    ...{ group, id: 'app-leaves', says: 'an answer that is cut off is not taken for whole' },
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
    ...{
      group,
      id: 'until-close',
      says: 'an answer that ends with its connection has an end for the client',
    },
    expected: 'hello, chunked',
    see: async (c) => {
      const session = await c.session((visit) => visit.end('HTTP/1.0 200 OK\r\n\r\nhello'));
      const client = session.dial();
      client.send(session.head('/').replace('close', 'keep-alive'));
      const reply = await client.reply();
      return `${reply?.body}, ${reply?.header('transfer-encoding')}`;
    },
  },
  {
    ...{
      group,
      id: 'slow-client',
      says: 'a client that sends a byte at a time is served',
      expected: 'GET <base>/slow HTTP/1.1',
    },
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      client.socket.setNoDelay(true);
      for (const byte of session.head('/slow')) {
        client.send(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return (await client.reply())?.body ?? '';
    },
  },
];

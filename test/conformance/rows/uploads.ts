import { createHash, randomBytes } from 'node:crypto';
import { plain } from '../app.ts';
import type { Session } from '../case.ts';
import type { Check } from '../row.ts';

const MIB = 1024 * 1024;

/** The head of an upload; `framing` says how its body is told. */
function upload(session: Session, framing: string, method = 'POST'): string {
  return session.head('/x', [framing], method);
}

const digest = (bytes: string) => createHash('sha1').update(bytes, 'latin1').digest('hex');

export const uploads: Check[] = [
  ...(['Content-Length: 9', 'Transfer-Encoding: chunked'] as const).map(
    (framing): Check => ({
      id: `upload-${framing.startsWith('C') ? 'sized' : 'chunked'}`,
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
    id: 'early-answer',
    says: 'an app may answer before an upload is over',
    expected: '413 enough',
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
    id: 'expect-continue',
    says: '`Expect: 100-continue` is answered before the body is sent',
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
    id: 'big-upload',
    says: '8 MiB up, in odd pieces, arrive whole',
    expected: 'the same',
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
    id: 'slow-app',
    says: 'an app that does not read stops the client from sending',
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
    id: 'uploader-leaves',
    says: 'an upload that is cut off is not taken for whole',
    expected: 'cut off',
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
    id: 'slow-client',
    says: 'a client that sends a byte at a time is served',
    expected: 'GET <base>/slow HTTP/1.1',
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

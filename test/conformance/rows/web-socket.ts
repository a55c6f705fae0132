import { randomBytes } from 'node:crypto';
import type { Frame, Frames } from '../frames.ts';
import { BINARY, CLOSE, CONTINUATION, closing, PING, PONG, TEXT } from '../frames.ts';
import type { Check } from '../row.ts';
import { shown, talk } from '../web-sockets.ts';

const MIB = 1024 * 1024;

export const webSocket: Check[] = [
  {
    id: 'ws-fragments',
    says: 'frames pass one by one: fragments, masks, reserved bits',
    expected: '…1:he …0:l 9:in between 0:lo, masks kept; …2:a 0:b',
    see: async (c) => {
      const { client, app } = await talk(c);
      const sent: Partial<Frame & { opcode: number }>[] = [
        { fin: false, opcode: TEXT, payload: 'he', mask: '01020304' },
        { fin: false, opcode: CONTINUATION, payload: 'l', mask: 'ffffffff' },
        { opcode: PING, payload: 'in between', mask: '00000000' },
        { opcode: CONTINUATION, payload: 'lo', mask: '0a0b0c0d' },
      ];
      for (const frame of sent) client.send(frame as Frame);
      const heard = [];
      for (const _ of sent) heard.push(await app.next());
      const masks = heard.every((frame, index) => frame?.mask === sent[index]?.mask);
      app.send({ fin: false, opcode: BINARY, payload: 'a' });
      app.send({ opcode: CONTINUATION, payload: 'b' });
      const back = [await client.next(), await client.next()];
      return `${heard.map(shown).join(' ')}, masks ${masks ? 'kept' : 'changed'}; ${back.map(shown).join(' ')}`;
    },
  },
  {
    id: 'ws-big',
    says: 'a message of 16 MB passes whole, both ways',
    expected: '16777216 the same, 16777216 the same',
    see: async (c) => {
      const { client, app } = await talk(c);
      const payload = randomBytes(16 * MIB).toString('latin1');
      client.send({ opcode: BINARY, payload, mask: '00000000' });
      const there = await app.next();
      app.send({ opcode: BINARY, payload });
      const back = await client.next();
      return [there, back]
        .map((frame) => `${frame?.payload.length} ${frame?.payload === payload ? 'the same' : 'changed'}`)
        .join(', ');
    },
  },
  {
    id: 'ws-ping',
    says: 'ping and pong go both ways; the router answers none itself',
    expected: 'app hears 9:a, client hears 10:a, client hears 9:b, app hears 10:b',
    see: async (c) => {
      const { client, app } = await talk(c);
      const seen: string[] = [];
      const pass = async (from: Frames, to: Frames, who: string, opcode: number, payload: string) => {
        from.send({ opcode, payload });
        seen.push(`${who} hears ${shown(await to.next())}`);
      };
      await pass(client, app, 'app', PING, 'a');
      await pass(app, client, 'client', PONG, 'a');
      await pass(app, client, 'client', PING, 'b');
      await pass(client, app, 'app', PONG, 'b');
      return seen.join(', ');
    },
  },
  ...[1000, 1001, 1011, 3000, 4999].map(
    (code): Check => ({
      id: `ws-close-${code}`,
      says: `close code ${code} and its reason pass, both ways`,
      expected: `${code} bye, ${code} bye`,
      see: async (c) => {
        const read = (frame?: Frame) =>
          frame?.opcode === CLOSE
            ? `${(frame.payload.charCodeAt(0) << 8) | frame.payload.charCodeAt(1)} ${frame.payload.slice(2)}`
            : 'none';
        const [one, two] = [await talk(c), await talk(c)];
        one.client.send({ opcode: CLOSE, payload: closing(code, 'bye') });
        two.app.send({ opcode: CLOSE, payload: closing(code, 'bye') });
        return `${read(await one.app.next())}, ${read(await two.client.next())}`;
      },
    }),
  ),
  {
    id: 'ws-app-gone',
    says: 'when the app cuts the connection, the browser’s ends',
    expected: 'over',
    see: async (c) => {
      const { client, app } = await talk(c);
      app.socket.resetAndDestroy();
      return (await client.next()) === undefined ? 'over' : 'a frame';
    },
  },
  {
    id: 'ws-client-gone',
    says: 'when the browser goes without a word, the app hears of it',
    expected: 'over',
    see: async (c) => {
      const { client, app } = await talk(c);
      client.socket.resetAndDestroy();
      return (await app.next()) === undefined ? 'over' : 'a frame';
    },
  },
  {
    id: 'ws-half-close-app',
    says: 'what the app has sent before it ends its side arrives whole',
    expected: '1048576 bytes, then over',
    see: async (c) => {
      const { client, app } = await talk(c);
      app.send({ opcode: BINARY, payload: 'x'.repeat(MIB) });
      app.socket.end();
      const frame = await client.next();
      return `${frame?.payload.length} bytes, then ${(await client.next()) === undefined ? 'over' : 'more'}`;
    },
  },
  {
    id: 'ws-half-close',
    says: 'a side that has ended may still be spoken to',
    expected: 'app hears the end, client hears 1:still here',
    limits: [
      {
        on: {},
        sees: 'app hears the end, client hears the end',
        because:
          'nginx ends both sides when one has ended (WebSocket itself has no half-closed state: RFC 6455, 7.1.1)',
      },
    ],
    see: async (c) => {
      const { client, app } = await talk(c);
      client.socket.end();
      const there = (await app.next()) === undefined ? 'the end' : 'a frame';
      app.send({ opcode: TEXT, payload: 'still here' });
      return `app hears ${there}, client hears ${shown(await client.next()) ?? 'the end'}`;
    },
  },
  {
    id: 'ws-backpressure',
    says: 'a browser that does not read stops the app from sending, and loses nothing',
    expected: 'the app had to wait, then all 64 MiB arrived',
    see: async (c) => {
      const { client, app } = await talk(c);
      const frame = { opcode: BINARY, payload: 'x'.repeat(MIB) };
      for (let sent = 0; sent < 64; sent++) app.send(frame);
      await c.until(() => app.socket.writableLength < 64 * MIB);
      const stuck = await c.settled(() => app.socket.writableLength);
      let bytes = 0;
      for (let received = 0; received < 64; received++) bytes += (await client.next())?.payload.length ?? 0;
      return `the app ${stuck > 0 ? 'had to wait' : 'sent it all'}, then ${bytes === 64 * MIB ? 'all' : bytes} 64 MiB arrived`;
    },
  },
  {
    id: 'ws-silent',
    says: 'how long one may be silent is one setting (shipped: 24 hours), no other timeout',
    expected: 'open after all other timeouts, closed by its own',
    see: async (c) => {
      const other = await talk(c, 'hasty');
      const own = await talk(c, 'impatient');
      const closed = (await own.client.next()) === undefined;
      await c.pause(2500);
      other.app.send({ opcode: TEXT, payload: 'still here' });
      const open = shown(await other.client.next()) === '1:still here';
      return `${open ? 'open' : 'closed'} after all other timeouts, ${closed ? 'closed' : 'open'} by its own`;
    },
  },
];

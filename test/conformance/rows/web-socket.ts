import { createHash, randomBytes } from 'node:crypto';
import type { Visit } from '../app.ts';
import type { Case, Session } from '../case.ts';
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  closing,
  type Frame,
  type Frames,
  framesOn,
  PING,
  PONG,
  TEXT,
} from '../frames.ts';
import type { Flavour } from '../router.ts';
import type { Row } from '../row.ts';
import { codeOf } from './target.ts';

const group = 'WebSocket';
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const MIB = 1024 * 1024;

/** Answers the handshake, and hands over what is talked after it. */
export function accept(visit: Visit, ...headers: string[]): Frames {
  const key = visit.header('sec-websocket-key') ?? '';
  const proof = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  visit.send(
    [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${proof}`,
    ]
      .concat(headers, '', '')
      .join('\r\n'),
  );
  return framesOn(visit.socket, visit.bytes, false);
}

/** The bytes of a handshake; `headers` are lines. */
export function handshake(
  session: Session,
  rest = '/',
  headers: string[] = [],
  upgrade = 'websocket',
): string {
  const own = [
    'Connection: Upgrade',
    `Upgrade: ${upgrade}`,
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
  ];
  return session.head(rest, [...own, ...headers]).replace('Connection: close\r\n', '');
}

interface Talk {
  client: Frames;
  app: Frames;
  /** Header lines of the handshake's answer. */
  answer: string[];
}

/** An open WebSocket through the router, both ends of it. */
export async function talk(
  c: Case,
  flavour?: Flavour,
  answer: string[] = [],
  ask: string[] = [],
): Promise<Talk> {
  const { promise: app, resolve } = Promise.withResolvers<Frames>();
  const session = await c.session((visit) => resolve(accept(visit, ...answer)), flavour);
  const client = session.dial();
  client.send(handshake(session, '/', ask));
  const reply = await client.reply();
  if (reply?.status !== 101) throw new Error(`the handshake is answered ${reply?.line}`);
  return { client: framesOn(client.socket, client.bytes, true), app: await app, answer: reply.headers };
}

const text = (frame?: Frame) => frame && `${frame.fin ? '' : '…'}${frame.opcode}:${frame.payload}`;

/** What a handshake that is no plain one comes to. */
async function refused(c: Case, make: (session: Session) => string): Promise<string> {
  const session = await c.session(async (visit) => {
    const upgrade = visit.header('upgrade') ?? '-';
    visit.end(`HTTP/1.1 200 OK\r\nContent-Length: ${upgrade.length}\r\n\r\n${upgrade}`);
  });
  const client = session.dial();
  client.send(make(session));
  const reply = await client.reply();
  return `${reply?.status} ${codeOf(reply?.body) || reply?.body}`;
}

export const webSocket: Row[] = [
  {
    ...{ group, id: 'ws-handshake', says: 'the handshake passes, key, version and proof as they are' },
    expected: 'GET <base>/chat?room=%2f1 HTTP/1.1, websocket, upgrade, 13, s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    see: async (c) => {
      const session = await c.session((visit) => void accept(visit));
      const client = session.dial();
      client.send(handshake(session, '/chat?room=%2f1'));
      const reply = await client.reply();
      const visit = session.visits[0];
      const told = ['upgrade', 'connection', 'sec-websocket-version'].map((name) => visit?.header(name));
      return [visit?.line, ...told, reply?.header('sec-websocket-accept')].join(', ');
    },
  },
  {
    ...{ group, id: 'ws-negotiation', says: 'subprotocols and extensions are between browser and app' },
    expected: 'chat, superchat & permessage-deflate; client_max_window_bits > chat & permessage-deflate',
    see: async (c) => {
      const session = await c.session(
        (visit) =>
          void accept(visit, 'Sec-WebSocket-Protocol: chat', 'Sec-WebSocket-Extensions: permessage-deflate'),
      );
      const client = session.dial();
      const offered = ['chat, superchat', 'permessage-deflate; client_max_window_bits'];
      client.send(
        handshake(session, '/', [
          `Sec-WebSocket-Protocol: ${offered[0]}`,
          `Sec-WebSocket-Extensions: ${offered[1]}`,
        ]),
      );
      const reply = await client.reply();
      const names = ['sec-websocket-protocol', 'sec-websocket-extensions'];
      const heard = names.map((name) => session.visits[0]?.header(name)).join(' & ');
      return `${heard} > ${names.map((name) => reply?.header(name)).join(' & ')}`;
    },
  },
  {
    ...{ group, id: 'ws-fragments', says: 'frames pass one by one: fragments, masks, reserved bits' },
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
      return `${heard.map(text).join(' ')}, masks ${masks ? 'kept' : 'changed'}; ${back.map(text).join(' ')}`;
    },
  },
  {
    ...{
      group,
      id: 'ws-big',
      says: 'a message of 16 MB passes whole, both ways',
      expected: '16777216 the same, 16777216 the same',
    },
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
    ...{ group, id: 'ws-ping', says: 'ping and pong go both ways; the router answers none itself' },
    expected: 'app hears 9:a, client hears 10:a, client hears 9:b, app hears 10:b',
    see: async (c) => {
      const { client, app } = await talk(c);
      const seen: string[] = [];
      const pass = async (from: Frames, to: Frames, who: string, opcode: number, payload: string) => {
        from.send({ opcode, payload });
        seen.push(`${who} hears ${text(await to.next())}`);
      };
      await pass(client, app, 'app', PING, 'a');
      await pass(app, client, 'client', PONG, 'a');
      await pass(app, client, 'client', PING, 'b');
      await pass(client, app, 'app', PONG, 'b');
      return seen.join(', ');
    },
  },
  ...[1000, 1001, 1011, 3000, 4999].map(
    (code): Row => ({
      ...{ group, id: `ws-close-${code}`, says: `close code ${code} and its reason pass, both ways` },
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
    ...{ group, id: 'ws-app-gone', says: 'when the app cuts the connection, the browser’s ends' },
    expected: 'over',
    see: async (c) => {
      const { client, app } = await talk(c);
      app.socket.resetAndDestroy();
      return (await client.next()) === undefined ? 'over' : 'a frame';
    },
  },
  {
    ...{ group, id: 'ws-client-gone', says: 'when the browser goes without a word, the app hears of it' },
    expected: 'over',
    see: async (c) => {
      const { client, app } = await talk(c);
      client.socket.resetAndDestroy();
      return (await app.next()) === undefined ? 'over' : 'a frame';
    },
  },
  {
    ...{
      group,
      id: 'ws-half-close-app',
      says: 'what the app has sent before it ends its side arrives whole',
    },
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
    ...{ group, id: 'ws-half-close', says: 'a side that has ended may still be spoken to' },
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
      return `app hears ${there}, client hears ${text(await client.next()) ?? 'the end'}`;
    },
  },
  {
    ...{ group, id: 'ws-first-frames', says: 'frames sent in one packet with the handshake’s answer arrive' },
    expected: '1:first 1:second',
    see: async (c) => {
      const session = await c.session((visit) => {
        visit.socket.cork();
        const frames = accept(visit);
        frames.send({ opcode: TEXT, payload: 'first' });
        frames.send({ opcode: TEXT, payload: 'second' });
        visit.socket.uncork();
      });
      const client = session.dial();
      client.send(handshake(session));
      await client.reply();
      const frames = framesOn(client.socket, client.bytes, true);
      return [await frames.next(), await frames.next()].map(text).join(' ');
    },
  },
  {
    ...{
      group,
      id: 'ws-eager',
      says: 'so do frames sent before the handshake was answered',
      expected: '1:eager',
    },
    see: async (c) => {
      const { promise: heard, resolve } = Promise.withResolvers<Frame | undefined>();
      const session = await c.session(async (visit) => resolve(await accept(visit).next()));
      const client = session.dial();
      client.send(handshake(session));
      framesOn(client.socket, client.bytes, true).send({ opcode: TEXT, payload: 'eager' });
      return text(await heard) ?? 'nothing';
    },
  },
  {
    ...{
      group,
      id: 'ws-backpressure',
      says: 'a browser that does not read stops the app from sending, and loses nothing',
    },
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
    ...{
      group,
      id: 'ws-silent',
      says: 'how long one may be silent is one setting (shipped: 24 hours), no other timeout',
    },
    expected: 'open after 2 s of the other timeouts, closed by its own',
    see: async (c) => {
      const other = await talk(c, 'hasty');
      const own = await talk(c, 'impatient');
      const closed = (await own.client.next()) === undefined;
      await c.pause(2000);
      other.app.send({ opcode: TEXT, payload: 'still here' });
      const open = text(await other.client.next()) === '1:still here';
      return `${open ? 'open' : 'closed'} after 2 s of the other timeouts, ${closed ? 'closed' : 'open'} by its own`;
    },
  },
  {
    ...{
      group,
      id: 'ws-app-refuses',
      says: 'when the app refuses, its own answer arrives',
      expected: '403 no, not you',
    },
    see: async (c) => {
      const session = await c.session((visit) =>
        visit.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 11\r\n\r\nno, not you'),
      );
      const client = session.dial();
      client.send(handshake(session));
      const reply = await client.reply();
      return `${reply?.status} ${reply?.body}`;
    },
  },
  {
    ...{ group, id: 'ws-case', says: '`Upgrade: WebSocket` in any case is one', expected: '200 websocket' },
    see: (c) => refused(c, (session) => handshake(session, '/', [], 'WebSocket')),
  },
  ...(['h2c', 'websocket, h2c', 'h2c, websocket', 'websocket/13', 'TLS/1.3', 'x-websocket'] as const).map(
    (upgrade): Row => ({
      ...{
        group,
        id: `ws-not-${upgrade.replace(/\W+/g, '-').toLowerCase()}`,
        says: `\`Upgrade: ${upgrade}\` is not passed on`,
      },
      expected: '200 -',
      see: (c) => refused(c, (session) => handshake(session, '/', [], upgrade)),
    }),
  ),
  {
    ...{ group, id: 'ws-tunnel', says: 'an app that switches protocols when nobody asked gets no tunnel' },
    expected: 'no tunnel',
    see: async (c) => {
      const session = await c.session(async (visit) => {
        visit.send('HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n');
        visit.end((await Promise.race([visit.bytes.some(), c.pause(300)])) ?? '');
      });
      const client = session.dial();
      client.send(session.head('/'));
      client.send('PRI * HTTP/2.0');
      return (await client.bytes.rest()).includes('PRI * HTTP/2.0') ? 'a tunnel' : 'no tunnel';
    },
  },
  {
    ...{
      group,
      id: 'ws-nobody',
      says: 'a WebSocket to no session is refused with a status',
      expected: '404 unknown_session',
    },
    see: (c) => refused(c, (session) => handshake(session).replaceAll(session.id, 'c'.repeat(26))),
  },
];

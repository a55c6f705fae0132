import { codeOf } from '../ask.ts';
import type { Case, Session } from '../case.ts';
import type { Frame } from '../frames.ts';
import { framesOn, TEXT } from '../frames.ts';
import type { Check } from '../row.ts';
import { accept, handshake, shown } from '../web-sockets.ts';

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

export const upgrades: Check[] = [
  {
    id: 'ws-handshake',
    says: 'the handshake passes, key, version and proof as they are',
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
    id: 'ws-negotiation',
    says: 'subprotocols and extensions are between browser and app',
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
    id: 'ws-first-frames',
    says: 'frames sent in one packet with the handshake’s answer arrive',
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
      return [await frames.next(), await frames.next()].map(shown).join(' ');
    },
  },
  {
    id: 'ws-eager',
    says: 'so do frames sent before the handshake was answered',
    expected: '1:eager',
    see: async (c) => {
      const { promise: heard, resolve } = Promise.withResolvers<Frame | undefined>();
      const session = await c.session(async (visit) => resolve(await accept(visit).next()));
      const client = session.dial();
      client.send(handshake(session));
      framesOn(client.socket, client.bytes, true).send({ opcode: TEXT, payload: 'eager' });
      return shown(await heard) ?? 'nothing';
    },
  },
  {
    id: 'ws-app-refuses',
    says: 'when the app refuses, its own answer arrives',
    expected: '403 no, not you',
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
    id: 'ws-case',
    says: '`Upgrade: WebSocket` in any case is one',
    expected: '200 websocket',
    see: (c) => refused(c, (session) => handshake(session, '/', [], 'WebSocket')),
  },
  ...(['h2c', 'websocket, h2c', 'h2c, websocket', 'websocket/13', 'TLS/1.3', 'x-websocket'] as const).map(
    (upgrade): Check => ({
      id: `ws-not-${upgrade.replace(/\W+/g, '-').toLowerCase()}`,
      says: `\`Upgrade: ${upgrade}\` is not passed on`,
      expected: '200 -',
      see: (c) => refused(c, (session) => handshake(session, '/', [], upgrade)),
    }),
  ),
  {
    id: 'ws-tunnel',
    says: 'an app that switches protocols when nobody asked gets no tunnel',
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
    id: 'ws-nobody',
    says: 'a WebSocket to no session is refused with a status',
    expected: '404 unknown_session',
    see: (c) => refused(c, (session) => handshake(session).replaceAll(session.id, 'c'.repeat(26))),
  },
];

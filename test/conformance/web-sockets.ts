import { createHash } from 'node:crypto';
import type { Visit } from './app.ts';
import type { Case, Session } from './case.ts';
import type { Frame, Frames } from './frames.ts';
import { framesOn } from './frames.ts';
import type { Flavour } from './router.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

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

/** A frame as `opcode:payload`, with … before it if the message goes on. */
export const shown = (frame?: Frame) => frame && `${frame.fin ? '' : '…'}${frame.opcode}:${frame.payload}`;

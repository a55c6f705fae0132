import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Bytes, readBytes } from './bytes.ts';
import { CUT_OFF, type Head, readChunks, readHead } from './message.ts';

/** Where a router listens. */
export interface Place {
  host: string;
  port: number;
  tls: boolean;
}

/** An answer of the router, read by the rules of RFC 9112 alone. */
export interface Reply extends Head {
  status: number;
  body: string;
  /** Header lines after a chunked body. */
  trailers: string[];
  /** Interim answers before it: their heads. */
  interim: Head[];
}

export interface Client {
  socket: Socket;
  bytes: Bytes;
  send(text: string): void;
  /** The next answer; undefined if the router closes without one. `method` matters for HEAD. */
  reply(method?: string): Promise<Reply | undefined>;
  close(): void;
}

export function dial({ host, port, tls }: Place): Client {
  const socket = tls
    ? connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
    : connect({ host, port, allowHalfOpen: true });
  const bytes = readBytes(socket);
  return {
    socket,
    bytes,
    send: (text) => void socket.write(text, 'latin1'),
    reply: (method = 'GET') => readReply(bytes, method),
    close: () => socket.destroy(),
  };
}

/** Sends bytes on a connection of their own, and reads the first answer. */
export async function exchange(place: Place, text: string, method?: string): Promise<Reply | undefined> {
  const client = dial(place);
  client.send(text);
  const reply = await client.reply(method);
  client.close();
  return reply;
}

async function readReply(bytes: Bytes, method: string): Promise<Reply | undefined> {
  const interim: Head[] = [];
  for (;;) {
    const text = await bytes.until('\r\n\r\n');
    if (text === undefined) return undefined;
    const head = readHead(text);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head.line)?.[1] ?? 0);
    if (status >= 100 && status < 200 && status !== 101) {
      interim.push(head);
      continue;
    }
    const trailers: string[] = [];
    const bodiless = method === 'HEAD' || [101, 204, 304].includes(status);
    const body = bodiless ? '' : await readBody(head, bytes, trailers);
    return { ...head, status, body, trailers, interim };
  }
}

async function readBody(head: Head, bytes: Bytes, trailers: string[]): Promise<string> {
  if (head.header('transfer-encoding') === 'chunked') return readChunks(bytes, trailers);
  const length = head.header('content-length');
  return length === undefined ? bytes.rest() : ((await bytes.exactly(Number(length))) ?? CUT_OFF);
}

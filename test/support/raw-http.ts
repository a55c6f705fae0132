import { connect, type Socket } from 'node:net';
import { type Address, whereTo } from './http.ts';

export interface RawAnswer {
  /** 0 if the other side closed without an answer. */
  status: number;
  /** Everything that arrived, as latin1: one character a byte. */
  text: string;
  body: string;
}

export function rawConnect(address: Address): Socket {
  const where = whereTo(address);
  return connect('socketPath' in where ? { path: where.socketPath } : where);
}

/** Sends bytes as they are (latin1) and reads until the other side closes. */
export function sendRaw(address: Address, request: string): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = rawConnect(address);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(parse(Buffer.concat(chunks).toString('latin1'))));
    socket.write(request, 'latin1');
  });
}

/** A GET of a request target that no client library would send. */
export function getRaw(address: Address, target: string, headers = ''): Promise<RawAnswer> {
  return sendRaw(
    address,
    `GET ${target} HTTP/1.1\r\nHost: spawner.test\r\nConnection: close\r\n${headers}\r\n`,
  );
}

function parse(text: string): RawAnswer {
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1] ?? 0);
  const head = text.indexOf('\r\n\r\n');
  return { status, text, body: head < 0 ? '' : text.slice(head + 4) };
}

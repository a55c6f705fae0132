import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Bytes } from './bytes.ts';

/** One WebSocket frame (RFC 6455, 5.2), its payload unmasked, as latin1. */
export interface Frame {
  fin: boolean;
  opcode: number;
  payload: string;
  /** As hex; undefined if it is not masked. */
  mask?: string | undefined;
}

export const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10] as const;

export interface Frames {
  socket: Socket;
  bytes: Bytes;
  send(frame: Partial<Frame> & { opcode: number }): void;
  /** Undefined when the other side has ended. */
  next(): Promise<Frame | undefined>;
}

/** Talks frames on a socket after its handshake. A client must mask what it sends, an app must not. */
export function framesOn(socket: Socket, bytes: Bytes, masks: boolean): Frames {
  return {
    socket,
    bytes,
    send({ fin = true, opcode, payload = '', mask = masks ? randomBytes(4).toString('hex') : undefined }) {
      socket.write(encode({ fin, opcode, payload, mask }));
    },
    async next() {
      const start = await bytes.exactly(2);
      if (start === undefined) return undefined;
      const [first, second] = [start.charCodeAt(0), start.charCodeAt(1)];
      const length = await readLength(bytes, second & 0x7f);
      const mask = second & 0x80 ? Buffer.from((await bytes.exactly(4)) ?? '', 'latin1') : undefined;
      const payload = Buffer.from((await bytes.exactly(length)) ?? '', 'latin1');
      if (mask) xor(payload, mask);
      return {
        fin: (first & 0x80) !== 0,
        opcode: first & 0x0f,
        payload: payload.toString('latin1'),
        mask: mask?.toString('hex'),
      };
    },
  };
}

/** The payload of a close frame. */
export function closing(code: number, reason = ''): string {
  return String.fromCharCode(code >> 8, code & 0xff) + reason;
}

function encode({ fin, opcode, payload, mask }: Frame): Buffer {
  const data = Buffer.from(payload, 'latin1');
  const head = Buffer.alloc(10);
  head[0] = (fin ? 0x80 : 0) | opcode;
  let used = 2;
  if (data.length < 126) head[1] = data.length;
  else if (data.length < 0x10000) {
    head[1] = 126;
    head.writeUInt16BE(data.length, 2);
    used = 4;
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(data.length), 2);
    used = 10;
  }
  if (mask === undefined) return Buffer.concat([head.subarray(0, used), data]);
  head[1] |= 0x80;
  const key = Buffer.from(mask, 'hex');
  xor(data, key);
  return Buffer.concat([head.subarray(0, used), key, data]);
}

async function readLength(bytes: Bytes, short: number): Promise<number> {
  if (short < 126) return short;
  const text = Buffer.from((await bytes.exactly(short === 126 ? 2 : 8)) ?? '', 'latin1');
  return short === 126 ? text.readUInt16BE() : Number(text.readBigUInt64BE());
}

function xor(data: Buffer, key: Buffer): void {
  for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) ^ (key[i & 3] as number);
}

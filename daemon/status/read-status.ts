/**
 * Asks an app, or a session's sidecar, how it is used: `GET /status` → `{"active_connections":2,"seconds_inactive":0,"listening":true}`.
 * The answer comes from a program nobody here wrote: it gets 2 s and 4 KB, redirects are not followed, and what is
 * not to the letter is "unknown", never "idle".
 */
import { Agent, get } from 'node:http';
import { z } from 'zod';
import { parseJson } from '../parse-json.ts';
import type { Signal } from './verdict.ts';

const TIMEOUT_MS = 2_000;
const MOST_BYTES = 4 * 1024;
const LATE = new Error(`no whole answer within ${TIMEOUT_MS / 1000} s`);
const LONG = new Error(`its answer is longer than ${MOST_BYTES} bytes`);
// A connection for each read: a kept one would look like a visitor to an app that counts sockets.
const agent = new Agent({ keepAlive: false });

const statusSchema = z.object({
  active_connections: z.int().nonnegative(),
  seconds_inactive: z.number().nonnegative(),
  listening: z.boolean().optional(),
});

interface Answer {
  status: number | undefined;
  body: string;
}

/** @param address `ip:port` */
export async function readStatus(address: string): Promise<Signal> {
  try {
    const { status, body } = await read(address);
    return status === 200 ? parseStatus(body) : unknown(`it answered ${status}`);
  } catch (error) {
    return unknown((error as Error).message);
  }
}

// Where hundreds are read in a second, this is three quarters of undici's work for a client that is used once.
function read(address: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = get(`http://${address}/status`, { agent, headers: { accept: 'application/json' } });
  const giveUp = (error: Error) => {
    reject(error);
    request.destroy();
  };
  const late = setTimeout(giveUp, TIMEOUT_MS, LATE);
  request.on('error', reject);
  // Of an answer 101 that nobody listens for, Node closes the connection without a word.
  request.on('upgrade', ({ statusCode: status }, socket) => {
    socket.destroy();
    resolve({ status, body: '' });
  });
  request.on('response', (response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('error', reject);
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MOST_BYTES) giveUp(LONG);
    });
    response.on('end', () => resolve({ status: response.statusCode, body: String(Buffer.concat(chunks)) }));
  });
  return promise.finally(() => clearTimeout(late));
}

export function parseStatus(body: string): Signal {
  const status = statusSchema.safeParse(parseJson(body));
  if (!status.success) {
    const issue = status.error.issues[0];
    return unknown(`its answer is not a status: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
  }
  const { active_connections, seconds_inactive, listening } = status.data;
  if (listening === false) return unknown('it says that it does not listen');
  return { kind: 'use', activeConnections: active_connections, secondsInactive: seconds_inactive };
}

function unknown(what: string): Signal {
  return { kind: 'unknown', message: `GET /status: ${what}` };
}

/**
 * Asks an app, or a session's sidecar, how it is used: `GET /status` → `{"active_connections":2,"seconds_inactive":0,"listening":true}`.
 * The answer comes from a program nobody here wrote: it gets 2 s and 4 KB, redirects are not followed, and what is
 * not to the letter is "unknown", never "idle".
 */
import { Client, errors } from 'undici';
import { z } from 'zod';
import { parseJson } from '../parse-json.ts';
import type { Signal } from './verdict.ts';

const TIMEOUT_MS = 2_000;
const MOST_BYTES = 4 * 1024;
// Of its own accord, undici makes an error for each client that ends, stack trace and all.
const READ = new Error('the status was read');
const LATE = `no whole answer within ${TIMEOUT_MS / 1000} s`;

const statusSchema = z.object({
  active_connections: z.int().nonnegative(),
  seconds_inactive: z.number().nonnegative(),
  listening: z.boolean().optional(),
});

/** @param address `ip:port` */
export async function readStatus(address: string): Promise<Signal> {
  // A connection for each read: a kept one would look like a visitor to an app that counts sockets.
  const client = new Client(`http://${address}`, { maxResponseSize: MOST_BYTES });
  // Less work than an AbortSignal of its own, where hundreds are read in a second.
  const late = setTimeout(() => client.destroy(new Error(LATE)), TIMEOUT_MS);
  try {
    const answer = await client.request({
      path: '/status',
      method: 'GET',
      headers: { accept: 'application/json' },
      reset: true,
    });
    const body = await answer.body.text();
    return answer.statusCode === 200 ? parseStatus(body) : unknown(`it answered ${answer.statusCode}`);
  } catch (error) {
    return unknown(describe(error as Error));
  } finally {
    clearTimeout(late);
    void client.destroy(READ);
  }
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

function describe(error: Error): string {
  if (error instanceof errors.ResponseExceededMaxSizeError)
    return `its answer is longer than ${MOST_BYTES} bytes`;
  return error.message;
}

function unknown(what: string): Signal {
  return { kind: 'unknown', message: `GET /status: ${what}` };
}

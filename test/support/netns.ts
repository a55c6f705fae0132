import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Commands } from './netns-inside.ts';

const INSIDE = join(import.meta.dirname, 'netns-inside.ts');

/** Runs a command of test/support/netns-inside.ts; one at a time. */
export type Run = <N extends keyof Commands>(
  name: N,
  ...args: Parameters<Commands[N]>
) => ReturnType<Commands[N]>;

type Reply = { value?: unknown; error?: string };

/** A network namespace of the test's own, with a program in it. It ends with the test. */
export async function startNamespace(t: ExecutionContext): Promise<Run> {
  // Who is not root may make one only as root of a user namespace.
  const flags = process.getuid?.() === 0 ? ['--net'] : ['--net', '--map-root-user'];
  const inside = spawn('unshare', [...flags, process.execPath, INSIDE], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaint = '';
  inside.stderr?.on('data', (chunk) => {
    complaint += chunk;
  });
  const ended = new Promise<void>((resolve) => inside.once('exit', () => resolve()));
  const failed = new Promise<never>((_, reject) => {
    inside.once('error', reject);
    inside.once('close', () => reject(new Error(`no network namespace (unshare, ip): ${complaint}`)));
  });
  failed.catch(() => undefined);
  t.teardown(async () => {
    if (inside.connected) inside.disconnect();
    await ended;
  });

  const answer = async (): Promise<unknown> => {
    const [reply] = (await Promise.race([once(inside, 'message'), failed])) as [Reply];
    if (reply.error !== undefined) throw new Error(reply.error);
    return reply.value;
  };
  await answer();
  const run = async (name: string, ...args: unknown[]) => {
    inside.send({ name, args });
    return answer();
  };
  return run as Run;
}

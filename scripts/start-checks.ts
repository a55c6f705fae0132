import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

interface Address {
  host: string;
  port: number;
}

/** Whether nobody could listen on one of them while somebody does on the other. */
export function overlap(one: Address, other: Address): boolean {
  const [a, b] = [one, other].map(({ host }) => (host === 'localhost' ? '127.0.0.1' : host));
  return one.port === other.port && (a === b || [a, b].some((host) => host === '0.0.0.0' || host === '::'));
}

/** Throws one line that names the flag when its address can't be listened on. */
export async function assertFree(name: string, { host, port }: Address): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
  } catch (error) {
    throw new Error(`${name} ${host}:${port} ${whyNot(error as NodeJS.ErrnoException)}`);
  } finally {
    server.close();
  }
}

function whyNot(error: NodeJS.ErrnoException): string {
  if (error.code === 'EADDRINUSE') return 'is taken by another program: end that one, or name a free port';
  if (error.code === 'EACCES') return 'is not allowed for you: name a port from 1024 on';
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') return 'is no address of this machine';
  return `can't be listened on: ${error.message}`;
}

/** Resolves once the daemon says that it is ready: its router answers and has every route. */
export async function untilReady(apiUrl: string, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(30_000)]);
  while (!deadline.aborted) {
    const answer = await fetch(`${apiUrl}/readyz`, { signal: deadline }).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(50);
  }
  throw new Error('the daemon is not ready after 30 s: its log above says why');
}

/** Resolves when the signal aborts, or has. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

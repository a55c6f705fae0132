import { isIPv6 } from 'node:net';
import type { StatusSource } from '../config.ts';
import type { Session } from '../session.ts';
import { readStatus } from './read-status.ts';
import type { RouterUse } from './router-use.ts';
import type { Signal } from './verdict.ts';

/** Reads the use of a session that has a backend. */
export type ReadSignal = (session: Pick<Session, 'id' | 'backend'>) => Promise<Signal>;

/** @param sidecarPort where the sidecar answers, at the address of the session's backend */
export function createSignalReader(
  source: StatusSource,
  routerUse: Pick<RouterUse, 'signal'>,
  sidecarPort: number,
): ReadSignal {
  return async ({ id, backend }) => {
    if (source === 'router') return routerUse.signal(id);
    if (source === 'app') return readStatus(backend as string);
    return mostUse(await readStatus(withPort(backend as string, sidecarPort)), routerUse.signal(id));
  };
}

/**
 * The sidecar sees every connection that lasts, whoever made it and whatever became of the routers; routers count
 * requests that are too short for it. Without the sidecar's word nothing is known, however quiet the routers are.
 */
export function mostUse(sidecar: Signal, routers: Signal): Signal {
  if (sidecar.kind === 'unknown' || routers.kind === 'unknown') return sidecar;
  return {
    kind: 'use',
    activeConnections: Math.max(sidecar.activeConnections, routers.activeConnections),
    secondsInactive: Math.min(sidecar.secondsInactive, routers.secondsInactive),
  };
}

function withPort(backend: string, port: number): string {
  const host = backend.slice(0, backend.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

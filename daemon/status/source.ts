import pLimit from 'p-limit';
import type { StatusSource } from '../config.ts';
import type { Session } from '../session.ts';
import { readStatus } from './read-status.ts';
import type { RouterUse } from './router-use.ts';
import type { Signal } from './verdict.ts';

const READS_AT_A_TIME = 256;

/** One look at the use of a session. */
export interface Reading {
  /** Who spoke. */
  source: StatusSource;
  signal: Signal;
  /** The session's status did not answer, or not as it should. */
  missed: boolean;
}

/** Reads the use of a session that has a backend. */
export type ReadSignal = (session: Pick<Session, 'id' | 'backend' | 'statusAddress'>) => Promise<Reading>;

export function createSignalReader(
  source: StatusSource,
  routerUse: Pick<RouterUse, 'signal' | 'requests'>,
): ReadSignal {
  const limit = pLimit(READS_AT_A_TIME);
  return async ({ id, backend, statusAddress }) => {
    if (source === 'app') {
      const signal = await limit(readStatus, backend as string);
      return { source, signal, missed: signal.kind === 'unknown' };
    }
    // A session that was started under another source has no sidecar.
    if (source === 'router' || statusAddress === undefined)
      return { source: 'router', signal: routerUse.signal(id), missed: false };
    const sidecar = await limit(readStatus, statusAddress);
    const signal = mostUse(sidecar, routerUse.requests(id));
    return { source, signal, missed: sidecar.kind === 'unknown' };
  };
}

/**
 * The sidecar sees every connection that lasts, whoever made it and whatever became of the routers; routers count
 * requests that are too short for it. So
 * - without the sidecar's word nothing is known, however quiet the routers are;
 * - whom it sees is there, whatever routers know;
 * - if it sees nobody, and a router hangs, has no room to count in (`uncounted`) or was not asked yet, short requests
 *   may go unseen: unknown;
 * - if it sees nobody, and no router is there or one that shuts down is not `complete`, its word is enough: those let
 *   nobody in, and what one still carries, lasts. The requests that other routers count are use all the same.
 */
function mostUse(sidecar: Signal, requests: Signal): Signal {
  if (sidecar.kind === 'unknown') return sidecar;
  if (requests.kind === 'unknown') {
    if (sidecar.activeConnections > 0) return sidecar;
    return { kind: 'unknown', message: `its sidecar sees nobody, but ${requests.message}` };
  }
  return {
    kind: 'use',
    activeConnections: Math.max(sidecar.activeConnections, requests.activeConnections),
    secondsInactive: Math.min(sidecar.secondsInactive, requests.secondsInactive),
  };
}

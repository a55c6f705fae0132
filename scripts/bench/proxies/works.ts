/** What a proxy is asked to do, and what is measured of it. */
import { median } from '../percentiles.ts';
import { childrenOf, cpuSeconds } from '../process-use.ts';
import type { Sample } from './figures.ts';
import type { Churn } from './load/churn.ts';
import type { Opening } from './load/opening.ts';
import { type Paced, pace } from './load/paced.ts';
import { startTask } from './load/task.ts';
import { visit } from './load/wrk.ts';
import type { RunningProxy } from './peers/peer.ts';

/** Of clients, at a time. */
const CONNECTIONS = 32;
/** nginx closes a connection after 1,000 requests. */
const REQUESTS_PER_CONNECTION = 800;

/** Whom to visit, and for how long. */
export interface Load {
  /** The ids of the sessions, a line each. */
  idsFile: string;
  /** The same of sessions with WebSockets. */
  webSocketIdsFile: string;
  webSocketIds: string[];
  /** The port of a backend. */
  backendPort: number;
  milliseconds: number;
  abort: AbortSignal;
}

export type Measure = (proxy: RunningProxy, load: Load) => Promise<Sample>;

/** GETs, or POSTs if there is a body, as fast as they are answered. */
export function visiting(path: string, bodyBytes = 0): Measure {
  return async (proxy, { idsFile, abort, milliseconds }) => {
    const visits = { connections: CONNECTIONS, port: proxy.port, idsFile, path, bodyBytes };
    const before = cpuMicroseconds(proxy);
    const { requests, seconds } = await visit(visits, { abort, milliseconds });
    return {
      'CPU per request': { value: (cpuMicroseconds(proxy) - before) / requests, unit: 'µs' },
      throughput: { value: requests / seconds, unit: 'requests/s' },
    };
  };
}

/** The same while routes of others come and go. */
export function visitingWhileRoutesChange(changesPerSecond: number): Measure {
  return async (proxy, load) => {
    const { admin } = proxy;
    if (!admin) throw new Error('it has no routes to change');
    const { abort, milliseconds } = load;
    const told: Churn = { admin, port: load.backendPort, perSecond: changesPerSecond, milliseconds };
    const churn = await startTask<number>('churn.ts', told, abort);
    try {
      const [sample, changes] = await Promise.all([visiting('')(proxy, load), churn.go()]);
      return { ...sample, changes: { value: (changes * 1000) / milliseconds, unit: 'routes/s' } };
    } finally {
      churn.end();
    }
  };
}

/** Messages of 64 bytes through open WebSockets, as fast as they come back. */
export const echoing: Measure = async (proxy, { webSocketIdsFile, abort, milliseconds }) => {
  const load = { idsFile: webSocketIdsFile, connections: CONNECTIONS, perSecond: 0, milliseconds };
  const before = cpuMicroseconds(proxy);
  const slices = await pace({ kind: 'webSocket', port: proxy.port, ...load }, abort);
  const messages = slices.reduce((sum, { count }) => sum + count, 0);
  return {
    'CPU per message': { value: (cpuMicroseconds(proxy) - before) / messages, unit: 'µs' },
    throughput: { value: (messages * 1000) / milliseconds, unit: 'messages/s' },
  };
};

/** WebSockets, opened and closed again. */
export const opening: Measure = async (proxy, { webSocketIds, abort, milliseconds }) => {
  const told: Opening = { port: proxy.port, ids: webSocketIds, connections: CONNECTIONS, milliseconds };
  const task = await startTask<number>('opening.ts', told, abort);
  try {
    const before = cpuMicroseconds(proxy);
    const opened = await task.go();
    return {
      'CPU per opening': { value: (cpuMicroseconds(proxy) - before) / opened, unit: 'µs' },
      throughput: { value: (opened * 1000) / milliseconds, unit: 'openings/s' },
    };
  } finally {
    task.end();
  }
};

/**
 * Latencies of small GETs, or of messages through open WebSockets, at a fixed rate: as they mostly are. A single stall of
 * the machine, of 2 % of the time, would otherwise be the 99th percentile.
 */
export function paced(kind: Paced['kind'], perSecond: number): Measure {
  return async (proxy, { idsFile, webSocketIdsFile, abort, milliseconds }) => {
    const connections = Math.max(CONNECTIONS, (perSecond * milliseconds) / 1000 / REQUESTS_PER_CONNECTION);
    const paced: Paced = {
      kind,
      port: proxy.port,
      idsFile: kind === 'http' ? idsFile : webSocketIdsFile,
      connections: Math.ceil(connections),
      perSecond,
      milliseconds,
    };
    const before = cpuMicroseconds(proxy);
    const slices = await pace(paced, abort);
    const cpu = (cpuMicroseconds(proxy) - before) / slices.reduce((sum, { count }) => sum + count, 0);
    return {
      [kind === 'http' ? 'CPU per request' : 'CPU per message']: { value: cpu, unit: 'µs' },
      'p50 latency': { value: median(slices.map(({ p50 }) => p50)), unit: 'µs' },
      'p99 latency': { value: median(slices.map(({ p99 }) => p99)), unit: 'µs' },
    };
  };
}

/** Of all processes of a proxy. */
function cpuMicroseconds({ pid }: RunningProxy): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + cpuSeconds(one), 0) * 1e6;
}

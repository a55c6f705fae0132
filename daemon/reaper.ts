/**
 * Finds the sessions that nobody uses and ends them. What it saw last of each session, and what follows from it, can
 * be asked at any time.
 */
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import type { StatusSource } from './config.ts';
import { every } from './every.ts';
import type { Metrics } from './metrics.ts';
import type { Reconciler } from './reconciler.ts';
import type { Session } from './session.ts';
import type { SessionStore } from './session-store.ts';
import type { RouterUse } from './status/router-use.ts';
import type { ReadSignal } from './status/source.ts';
import { isTooOld, judge, type ReapPolicy, type Signal, type Verdict } from './status/verdict.ts';

const READS_AT_A_TIME = 256;
const SWEEPS_PER_IDLE_TIMEOUT = 10;
const LONGEST_SWEEP_MS = 1_000;
const SHORTEST_SWEEP_MS = 50;

/** What the reaper last saw of a session. */
export interface Inspection {
  signal: Signal;
  /** Monotonic milliseconds. */
  at: number;
  misses: number;
  verdict: Verdict;
}

export interface Reaper {
  start(): void;
  stop(): void;
  inspection(id: string): Inspection | undefined;
}

export interface ReaperParts {
  store: SessionStore;
  reconciler: Reconciler;
  routerUse: RouterUse;
  source: StatusSource;
  readSignal: ReadSignal;
  policy: ReapPolicy;
  now: () => number;
  metrics: Metrics;
  log: Logger;
}

export function createReaper(parts: ReaperParts): Reaper {
  const { store, reconciler, routerUse, source, readSignal, policy, now, metrics, log } = parts;
  const limit = pLimit(READS_AT_A_TIME);
  let inspections = new Map<string, Inspection>();
  // False while a router may carry visitors that we can't see.
  let quiet = false;
  let stop = () => {};

  async function sweep(): Promise<void> {
    const living = store.living();
    const ids = new Set(living.map((session) => session.id));
    inspections = new Map([...inspections].filter(([id]) => ids.has(id)));
    ({ quiet } = await routerUse.refresh());
    await Promise.all(living.map((session) => limit(() => inspect(session))));
  }

  async function inspect(session: Session): Promise<void> {
    if (session.ending) return;
    if (isTooOld(Date.now() - session.createdAt, policy)) {
      metrics.reaped('max_lifetime');
      void reconciler.end(session, 'max_lifetime');
      return;
    }
    if (session.state !== 'ready') return;
    const arrivals = routerUse.arrivals(session.id);
    const { verdict, signal } = await look(session);
    if (verdict.verdict !== 'reap' || session.state !== 'ready') return;
    const { reason } = verdict;
    log.info({ session: session.id, reason, signal }, 'session is to be reaped');
    await reconciler.reap(session, reason, () => isStillUnused(session, arrivals));
  }

  async function look(session: Session): Promise<Inspection> {
    const signal = await readSignal(session);
    const missed = source !== 'router' && signal.kind === 'unknown';
    const misses = missed ? (inspections.get(session.id)?.misses ?? 0) + 1 : 0;
    if (missed) metrics.statusMissed();
    const verdict = keepIfVisited(session, judge(signal, misses, Date.now() - session.createdAt, policy));
    const inspection = { signal, at: now(), misses, verdict };
    inspections.set(session.id, inspection);
    return inspection;
  }

  function keepIfVisited(session: Session, verdict: Verdict): Verdict {
    if (verdict.verdict !== 'reap') return verdict;
    if (!quiet) return { verdict: 'kept', why: 'a router does not answer, and may carry visitors' };
    // An app too busy to answer for itself, with somebody connected, is not abandoned.
    const seen = routerUse.signal(session.id);
    const visited = seen.kind === 'use' && seen.activeConnections > 0;
    if (verdict.reason !== 'status_unreachable' || !visited) return verdict;
    return { verdict: 'kept', why: 'its status is unreachable, but a router sees visitors' };
  }

  /** Asked when the door is closed. Whoever slipped in before shows in a router's counts or in the status. */
  async function isStillUnused(session: Session, arrivals: string): Promise<boolean> {
    ({ quiet } = await routerUse.refresh());
    if (!quiet || routerUse.arrivals(session.id) !== arrivals) return false;
    return (await look(session)).verdict.verdict === 'reap';
  }

  return {
    start() {
      const ms = Math.max(
        SHORTEST_SWEEP_MS,
        Math.min(LONGEST_SWEEP_MS, policy.idleTimeoutMs / SWEEPS_PER_IDLE_TIMEOUT),
      );
      stop = every(ms, sweep, (error) => log.error({ err: error }, 'sweep failed'));
    },
    stop: () => stop(),
    inspection: (id) => inspections.get(id),
  };
}

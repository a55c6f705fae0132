/**
 * Finds the sessions that nobody uses and ends them. What it saw last of each session, and what follows from it, can
 * be asked at any time.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { StatusSource } from './config.ts';
import { every } from './every.ts';
import type { Metrics } from './metrics.ts';
import type { Reconciler } from './reconciler.ts';
import type { Session } from './session.ts';
import type { SessionStore } from './session-store.ts';
import type { RouterUse } from './status/router-use.ts';
import type { Reading, ReadSignal } from './status/source.ts';
import {
  bornAt,
  certainMs,
  isTooOld,
  judge,
  type ReapPolicy,
  type Signal,
  type Verdict,
} from './status/verdict.ts';

const SWEEPS_PER_IDLE_TIMEOUT = 10;
const LONGEST_SWEEP_MS = 1_000;
const SHORTEST_SWEEP_MS = 50;
// A status that was read is believed for so long, so that one which fails from then on is found out, miss by miss, by
// the time that its session may end; and those who ask how a session is used hear of no older use.
const TRUST_PER_IDLE_TIMEOUT = 2 / 3;
const LONGEST_TRUST_MS = 30_000;
// Nor are all read in the same sweep because they once were.
const TRUST_SPREAD = 1 / 4;
// What hundreds of reads take is never there all at once: what lives longer is far more work to collect.
const LOOKS_A_TURN = 16;

/** What the reaper last saw of a session. Times are monotonic milliseconds. */
export interface Inspection {
  /** Who gave the signal. */
  source: StatusSource;
  signal: Signal;
  at: number;
  misses: number;
  /** When its status last answered, or was first asked. */
  heardAt: number;
  bornAt: number;
  verdict: Verdict;
  /** When to look again; before, it would change nothing. */
  holdsUntil: number;
}

export interface Reaper {
  start(): void;
  stop(): void;
  inspection(session: Session): Inspection | undefined;
}

export interface ReaperParts {
  store: SessionStore;
  reconciler: Reconciler;
  routerUse: RouterUse;
  readSignal: ReadSignal;
  policy: ReapPolicy;
  now: () => number;
  metrics: Metrics;
  log: Logger;
}

export function createReaper(parts: ReaperParts): Reaper {
  const { store, reconciler, routerUse, readSignal, policy, now, metrics, log } = parts;
  const inspections = new WeakMap<Session, Inspection>();
  const births = new WeakMap<Session, number>();
  // False while a router may carry visitors that we can't see.
  let quiet = false;
  let refreshedAt = now();
  let stop = () => {};

  async function sweep(): Promise<void> {
    const living = store.living();
    for (const session of living) births.set(session, birth(session));
    await refresh();
    for (const session of living.filter(isOver)) {
      metrics.reaped('max_lifetime');
      void reconciler.end(session, 'max_lifetime');
    }
    const looks: Promise<void>[] = [];
    for (const session of living) {
      if (!isDue(session)) continue;
      const failed = (error: Error) => log.error({ session: session.id, err: error }, 'inspection failed');
      looks.push(inspect(session).catch(failed));
      if (looks.length % LOOKS_A_TURN === 0) await nextTurn();
    }
    await Promise.all(looks);
  }

  function isOver(session: Session): boolean {
    return !session.ending && isTooOld(now() - birth(session), policy);
  }

  async function refresh(): Promise<void> {
    ({ quiet } = await routerUse.refresh());
    refreshedAt = now();
  }

  function isDue(session: Session): boolean {
    const { ending, state } = session;
    return !ending && state === 'ready' && now() >= (inspections.get(session)?.holdsUntil ?? 0);
  }

  async function inspect(session: Session): Promise<void> {
    const arrivals = routerUse.arrivals(session.id);
    const { verdict, signal } = await look(session);
    if (verdict.verdict !== 'reap' || session.state !== 'ready') return;
    const { reason } = verdict;
    log.info({ session: session.id, reason, signal }, 'session is to be reaped');
    await reconciler.reap(session, reason, () => isStillUnused(session, arrivals));
  }

  async function look(session: Session): Promise<Inspection> {
    const reading = await readSignal(session);
    if (reading.missed) metrics.statusMissed();
    const inspection = assess(session, reading, now());
    inspections.set(session, inspection);
    return inspection;
  }

  function assess(session: Session, { source, signal, missed }: Reading, at: number): Inspection {
    const before = inspections.get(session);
    const misses = missed ? (before?.misses ?? 0) + 1 : 0;
    const heardAt = missed ? (before?.heardAt ?? at) : at;
    const silence = { misses, unheardMs: at - heardAt, routers: routerUse.signal(session.id) };
    const verdict = keepIfUnseen(judge(signal, silence, policy));
    const certain = certainMs(verdict, policy);
    const holdsUntil = at + (source === 'router' ? certain : Math.min(certain, trustMs()));
    return { source, signal, at, misses, heardAt, bornAt: birth(session), verdict, holdsUntil };
  }

  function trustMs(): number {
    const longest = Math.min(policy.idleTimeoutMs * TRUST_PER_IDLE_TIMEOUT, LONGEST_TRUST_MS);
    return longest * (1 - TRUST_SPREAD * Math.random());
  }

  function keepIfUnseen(verdict: Verdict): Verdict {
    if (verdict.verdict !== 'reap' || quiet) return verdict;
    return { verdict: 'kept', why: 'a router does not answer, and may carry visitors' };
  }

  function birth(session: Session): number {
    return births.get(session) ?? bornAt(session.createdAt, { wall: Date.now(), monotonic: now() });
  }

  /** Asked when the door is closed. Whoever slipped in before shows in a router's counts or in the status. */
  async function isStillUnused(session: Session, arrivals: string): Promise<boolean> {
    await refresh();
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
    inspection(session) {
      const last = inspections.get(session);
      if (last?.source !== 'router') return last;
      // What routers count is at hand, and newer than the look that settled when to look again.
      const reading: Reading = { source: 'router', signal: routerUse.signal(session.id), missed: false };
      return assess(session, reading, refreshedAt);
    },
  };
}

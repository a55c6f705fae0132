/**
 * Brings each session from what it is to what it should be. The same `reconcile(id)` serves creation, change, loss
 * and the daemon's start: it looks at everything anew and does the next step.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { AccessTokens } from './access-tokens.ts';
import { createCleanup } from './cleanup.ts';
import { ApiError, UnavailableError } from './errors.ts';
import { every } from './every.ts';
import type { Metrics } from './metrics.ts';
import { facedHurdle, ifReachable, nextStep, troubleOf } from './next-step.ts';
import { createRenewal } from './renew-token.ts';
import type { Routers } from './routers/routers.ts';
import type { Observation, Runtime } from './runtime/runtime.ts';
import { type EndReason, hasEnded, newSession, type Session, type SessionSpec } from './session.ts';
import type { SessionStore } from './session-store.ts';
import { createSteps } from './steps.ts';
import { createWorkQueue } from './work-queue.ts';

const RELEASE_MS = 250;
const RELIST_MS = 30_000;
const ROLL_BACK_MS = 1_000;
const END_RETRY_MS = 500;

export interface Reconciler {
  /** Takes over what the runtime runs. Every session that works has its route in the desired table afterwards. */
  start(): Promise<void>;
  /** Starts a session. @throws {ApiError} if it can't be; what there is of it is ended then */
  create(spec: SessionSpec): Promise<Session>;
  /** Resolves when the session has ended. The reason that came first counts. */
  end(session: Session, reason: EndReason): Promise<void>;
  /**
   * Closes the door, asks `stillUnused`, and then either ends the session or opens the door again: who comes in that
   * moment is told 503 or revives the session, and is never let in and cut.
   */
  reap(session: Session, reason: EndReason, stillUnused: () => Promise<boolean>): Promise<boolean>;
  /**
   * Makes the session's access token invalid and another one valid, for visitors who are connected, too.
   * @throws {ApiError} if it can't be done, or a router may still let in who has the old one
   */
  renewToken(session: Session): Promise<void>;
  /** Has these sessions looked at anew. */
  lookAt(ids: string[]): void;
  /** Ends all sessions and creates no more. Resolves with the ids of those that could not be ended in time. */
  endAll(patienceMs: number): Promise<string[]>;
  stop(): void;
}

export interface ReconcilerParts {
  store: SessionStore;
  runtime: Runtime;
  routers: Routers;
  tokens: AccessTokens;
  metrics: Metrics;
  log: Logger;
  startTimeoutMs: number;
}

export function createReconciler(parts: ReconcilerParts): Reconciler {
  const { store, runtime, routers, tokens, metrics, log, startTimeoutMs } = parts;
  const cleanup = createCleanup(runtime, routers, log);
  const stops: (() => void)[] = [];
  let closing = false;
  const queue = createWorkQueue(reconcile, (id, error) => {
    if (error instanceof UnavailableError)
      log.warn({ session: id, reason: error.message }, 'reconcile waits');
    else log.error({ session: id, err: error }, 'reconcile failed');
  });
  const renewToken = createRenewal({ runtime, routers, tokens, queue, log });
  const steps = createSteps({ store, runtime, routers, cleanup, metrics, log, lookAgain: queue.add });

  async function reconcile(id: string): Promise<void> {
    const session = store.get(id);
    // What an earlier daemon had begun to end. If a router still has a route of it, the fill takes that away.
    if (!session) return cleanup.endApp(id);
    const [observed, now] = [await observe(id), Date.now()];
    face(session, observed, now);
    await steps.take(session, nextStep(session, observed, now, startTimeoutMs));
  }

  function face(session: Session, observed: Observation, now: number): void {
    const known = session.hurdle;
    session.hurdle = facedHurdle(known, observed, now);
    const trouble = troubleOf(observed);
    if (trouble && session.hurdle !== known) {
      log.warn({ session: session.id, code: trouble.code, reason: trouble.message }, 'session in trouble');
    }
    if (known && !trouble && observed.phase === 'listening')
      log.info({ session: session.id }, 'session out of trouble');
  }

  async function observe(id: string): Promise<Observation> {
    return ifReachable(await runtime.observe(id), routers.refusing(id));
  }

  async function create(spec: SessionSpec): Promise<Session> {
    if (closing)
      throw new ApiError(503, 'stopping', 'The daemon is being stopped.', { retryAfterSeconds: 5 });
    if (!routers.status().some(({ state }) => state === 'live' || state === 'syncing')) {
      refuseUnrouted({ live: 0, full: [] });
    }
    const session = newSession(spec, tokens.digest(spec));
    store.add(session);
    try {
      await queue.exclusive(spec.id, async () => {
        const [routed, created] = await Promise.allSettled([
          routers.set(spec.id, { state: 'starting', address: '', tokenDigest: session.tokenDigest }),
          runtime.create(spec),
        ]);
        if (created.status === 'rejected') throw created.reason;
        if (routed.status === 'rejected') throw routed.reason;
        refuseUnrouted(routed.value);
      });
    } catch (error) {
      // A cluster may take its time, or be away for long: the caller does not wait for that.
      await Promise.race([rollBack(session), sleep(ROLL_BACK_MS, undefined, { ref: false })]);
      throw error;
    }
    queue.add(spec.id);
    return session;
  }

  async function rollBack(session: Session): Promise<void> {
    store.disown(session);
    await end(session, 'rolled_back');
    store.forget(session);
  }

  async function end(session: Session, reason: EndReason): Promise<void> {
    // Of one that has failed, something may still be there.
    if (hasEnded(session)) return queue.exclusive(session.id, () => cleanup.endApp(session.id));
    session.ending ??= reason;
    queue.add(session.id);
    await store.when(session, hasEnded);
  }

  async function reap(
    session: Session,
    reason: EndReason,
    stillUnused: () => Promise<boolean>,
  ): Promise<boolean> {
    return queue.exclusive(session.id, async () => {
      if (session.state !== 'ready' || session.ending || session.backend === undefined) return false;
      session.state = 'draining';
      store.changed(session);
      const { backend, tokenDigest } = session;
      await routers.set(session.id, { state: 'draining', address: backend, tokenDigest });
      const unused = routers.isSettled(session.id) && (await stillUnused().catch(() => false));
      if (session.ending) return false; // ended by somebody else meanwhile
      if (unused) {
        metrics.reaped(reason);
        session.ending = reason;
        queue.add(session.id);
        return true;
      }
      await routers.set(session.id, { state: 'ready', address: backend, tokenDigest });
      session.state = 'ready';
      log.info(
        { session: session.id, reason },
        'session revived: somebody came while it was about to be reaped',
      );
      store.changed(session);
      queue.add(session.id); // its app may have ended meanwhile
      return false;
    });
  }

  async function adopt(): Promise<void> {
    const owned = await runtime.list();
    for (const one of owned.filter(({ deleted }) => !deleted)) {
      // What an earlier daemon saw of it is unknown: whatever it waits for, it gets its whole time again.
      const session = { ...newSession(one, tokens.digest(one)), waitingSince: Date.now() };
      store.add(session);
      await adoptRoute(session);
    }
    // Not earlier: what is not adopted yet would be taken for a stray. What happened meanwhile is looked at now.
    runtime.watch((id) => queue.add(id));
    for (const { id } of [...owned, ...(await runtime.list())]) queue.add(id);
  }

  /** What no living session stands for and no event told of. */
  async function endStrays(): Promise<void> {
    const living = new Set(store.living().map(({ id }) => id));
    for (const { id } of await runtime.list()) if (!living.has(id)) queue.add(id);
  }

  // So that the first fill of the routers leaves a working session's route as it is.
  async function adoptRoute(session: Session): Promise<void> {
    const observed = await observe(session.id);
    const { tokenDigest } = session;
    // Since when it has been ready, nobody knows.
    if (observed.phase === 'listening') await steps.serve(session, observed);
    else if (observed.phase === 'starting')
      await routers.set(session.id, { state: 'starting', address: '', tokenDigest });
  }

  async function endForGood(id: string): Promise<void> {
    for (;;) {
      try {
        return await queue.exclusive(id, async () => {
          await routers.remove(id);
          await cleanup.endApp(id);
          await runtime.release(id);
        });
      } catch (error) {
        log.warn({ session: id, reason: (error as Error).message }, 'session could not be ended yet');
        await sleep(END_RETRY_MS);
      }
    }
  }

  return {
    async start() {
      await runtime.start();
      await adopt();
      const failed = (error: Error) => log.error({ err: error }, 'upkeep failed');
      stops.push(every(RELEASE_MS, cleanup.release, failed), every(RELIST_MS, endStrays, failed));
    },
    create,
    end,
    reap,
    renewToken,
    lookAt(ids) {
      for (const id of ids) queue.add(id);
    },
    async endAll(patienceMs) {
      closing = true;
      // Also what has failed, or what an earlier daemon left, and whose apps are still being ended.
      const owned = (await runtime.list()).map(({ id }) => id);
      const left = new Set([...store.living().map(({ id }) => id), ...owned]);
      const ends = [...left].map((id) => endForGood(id).then(() => left.delete(id)));
      await Promise.race([Promise.all(ends), sleep(patienceMs)]);
      return [...left];
    },
    stop() {
      queue.close();
      for (const stop of stops) stop();
    },
  };
}

function refuseUnrouted({ live, full }: { live: number; full: string[] }): void {
  if (full.length > 0) {
    throw new ApiError(
      507,
      'router_full',
      `No room for another route at ${full.join(', ')}: end sessions or enlarge the zone (--routes-zone-size).`,
    );
  }
  if (live === 0) {
    throw new ApiError(503, 'no_router', 'No router answers, so the session could not be reached.', {
      retryAfterSeconds: 1,
    });
  }
}

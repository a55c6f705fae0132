/** What is known of a session's use at one moment. */
export type Signal =
  | {
      kind: 'use';
      activeConnections: number;
      secondsInactive: number;
    }
  /** The source did not say: never taken for "idle". */
  | { kind: 'unknown'; message: string };

/** How long nothing was heard of a session, and from whom. */
export interface Silence {
  /** Reads of its status in a row, the last one included, that failed. */
  misses: number;
  /** Since its status answered last, or was first asked. */
  unheardMs: number;
  /** What routers count. */
  routers: Signal;
}

export interface ReapPolicy {
  idleTimeoutMs: number;
  maxLifetimeMs: number | undefined;
  /** Failed reads in a row before an unreachable status may end a session. */
  mostMisses: number;
}

export type Verdict =
  | { verdict: 'busy' }
  | { verdict: 'idle'; secondsLeft: number }
  /** `left`: what its status may still miss before it ends; undefined while nothing counts down. */
  | { verdict: 'unknown'; left: { misses: number; seconds: number } | undefined }
  /** It would be reaped by its own signal, but for another. */
  | { verdict: 'kept'; why: string }
  | { verdict: 'reap'; reason: 'idle' | 'status_unreachable' };

/** Decides what becomes of a session that works. */
export function judge(signal: Signal, silence: Silence, policy: ReapPolicy): Verdict {
  if (signal.kind === 'unknown') return judgeSilence(silence, policy);
  if (signal.activeConnections > 0) return { verdict: 'busy' };
  const secondsLeft = policy.idleTimeoutMs / 1000 - signal.secondsInactive;
  return secondsLeft > 0 ? { verdict: 'idle', secondsLeft } : { verdict: 'reap', reason: 'idle' };
}

/**
 * For how long after a look the session can't be reaped by its use, in milliseconds, whatever happens: until then
 * nobody need look again. Idle time grows no faster than time.
 */
export function certainMs(verdict: Verdict, { idleTimeoutMs }: Pick<ReapPolicy, 'idleTimeoutMs'>): number {
  if (verdict.verdict === 'busy') return idleTimeoutMs;
  return verdict.verdict === 'idle' ? verdict.secondsLeft * 1000 : 0;
}

/** A status that fails may be a break in the network: only who was not seen from anywhere for so long is abandoned. */
function judgeSilence({ misses, unheardMs, routers }: Silence, policy: ReapPolicy): Verdict {
  if (misses === 0) return { verdict: 'unknown', left: undefined };
  const unseenMs = routers.kind === 'use' ? routers.secondsInactive * 1000 : 0;
  const left = {
    misses: Math.max(0, policy.mostMisses - misses),
    seconds: Math.max(0, policy.idleTimeoutMs - Math.min(unheardMs, unseenMs)) / 1000,
  };
  if (left.misses > 0) return { verdict: 'unknown', left };
  if (routers.kind === 'unknown')
    return { verdict: 'kept', why: `its status is unreachable, and ${routers.message}` };
  if (routers.activeConnections > 0)
    return { verdict: 'kept', why: 'its status is unreachable, but a router sees visitors' };
  return left.seconds > 0 ? { verdict: 'unknown', left } : { verdict: 'reap', reason: 'status_unreachable' };
}

export function isTooOld(ageMs: number, { maxLifetimeMs }: Pick<ReapPolicy, 'maxLifetimeMs'>): boolean {
  return maxLifetimeMs !== undefined && ageMs >= maxLifetimeMs;
}

/**
 * When it was created, on the monotonic clock: from then on nobody makes it older by setting the machine's time.
 * @param createdAt milliseconds since 1970, as `now.wall`
 */
export function bornAt(createdAt: number, now: { wall: number; monotonic: number }): number {
  return now.monotonic - Math.max(0, now.wall - createdAt);
}

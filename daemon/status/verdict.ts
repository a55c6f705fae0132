/** What is known of a session's use at one moment. */
export type Signal =
  | {
      kind: 'use';
      activeConnections: number;
      secondsInactive: number;
    }
  /** The source did not say: never taken for "idle". */
  | { kind: 'unknown'; message: string };

export interface ReapPolicy {
  idleTimeoutMs: number;
  maxLifetimeMs: number | undefined;
  /** Unknown signals in a row that end a session. */
  mostMisses: number;
}

export type Verdict =
  | { verdict: 'busy' }
  | { verdict: 'idle'; secondsLeft: number }
  | { verdict: 'unknown'; missesLeft: number }
  /** It would be reaped by its own signal, but for another. */
  | { verdict: 'kept'; why: string }
  | { verdict: 'reap'; reason: 'idle' | 'status_unreachable' | 'max_lifetime' };

/**
 * Decides what becomes of a session that works.
 * @param misses how many signals in a row, this one included, were unknown
 */
export function judge(signal: Signal, misses: number, ageMs: number, policy: ReapPolicy): Verdict {
  if (isTooOld(ageMs, policy)) return { verdict: 'reap', reason: 'max_lifetime' };
  if (signal.kind === 'unknown') {
    const missesLeft = policy.mostMisses - misses;
    return missesLeft > 0
      ? { verdict: 'unknown', missesLeft }
      : { verdict: 'reap', reason: 'status_unreachable' };
  }
  if (signal.activeConnections > 0) return { verdict: 'busy' };
  const secondsLeft = policy.idleTimeoutMs / 1000 - signal.secondsInactive;
  return secondsLeft > 0 ? { verdict: 'idle', secondsLeft } : { verdict: 'reap', reason: 'idle' };
}

export function isTooOld(ageMs: number, { maxLifetimeMs }: Pick<ReapPolicy, 'maxLifetimeMs'>): boolean {
  return maxLifetimeMs !== undefined && ageMs >= maxLifetimeMs;
}

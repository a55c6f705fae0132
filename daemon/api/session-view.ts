import type { AccessTokens } from '../access-tokens.ts';
import { type PublicUrl, sessionUrl } from '../public-url.ts';
import type { Inspection } from '../reaper.ts';
import type { Session } from '../session.ts';
import type { ReapPolicy } from '../status/verdict.ts';

export interface ViewSettings {
  publicUrl: PublicUrl;
  policy: ReapPolicy;
}

/** A session as the API shows it in lists. */
export function summary(session: Session, publicUrl: PublicUrl): Record<string, unknown> {
  return {
    id: session.id,
    url: sessionUrl(publicUrl, session.id),
    state: session.state,
    labels: session.labels,
    createdAt: iso(session.createdAt),
    ...(session.readyAt !== undefined && { readyAt: iso(session.readyAt) }),
    ...(session.endedAt !== undefined && { endedAt: iso(session.endedAt) }),
    ...(session.ending && { endReason: session.ending }),
    ...(session.failure && { failure: session.failure }),
  };
}

/** The same for who may invite visitors: with its access token, the URL lets them in. */
export function invitation(
  session: Session,
  publicUrl: PublicUrl,
  tokens: AccessTokens,
): Record<string, unknown> {
  const token = tokens.token(session);
  const url = sessionUrl(publicUrl, session.id);
  return {
    ...summary(session, publicUrl),
    url: token === undefined ? url : `${url}?spawner-token=${token}`,
  };
}

/**
 * The same with the answers to "why is it still there?" and "how long has it left?".
 * @param now monotonic milliseconds, the clock of inspections
 */
export function details(
  session: Session,
  output: string[],
  inspection: Inspection | undefined,
  now: number,
  settings: ViewSettings,
): Record<string, unknown> {
  return {
    ...summary(session, settings.publicUrl),
    ...(session.backend !== undefined && { backend: session.backend }),
    ...(session.failure === undefined && { output }),
    ...(session.state === 'ready' && inspection && { activity: activity(inspection, now) }),
    ...(session.state === 'ready' && { reap: reap(session, inspection, now, settings.policy) }),
  };
}

function activity({ source, signal, at, misses }: Inspection, now: number) {
  const observedSecondsAgo = seconds(now - at);
  if (signal.kind === 'unknown') return { source, observedSecondsAgo, misses, message: signal.message };
  const { activeConnections, secondsInactive } = signal;
  return { source, observedSecondsAgo, misses, activeConnections, secondsInactive: round(secondsInactive) };
}

function reap(session: Session, inspection: Inspection | undefined, now: number, policy: ReapPolicy) {
  const ageMs = inspection ? now - inspection.bornAt : Date.now() - session.createdAt;
  const lifetimeSecondsLeft =
    policy.maxLifetimeMs === undefined ? {} : { lifetimeSecondsLeft: seconds(policy.maxLifetimeMs - ageMs) };
  const idleTimeoutSeconds = policy.idleTimeoutMs / 1000;
  if (!inspection)
    return { verdict: 'new', why: 'it was not looked at yet', idleTimeoutSeconds, ...lifetimeSecondsLeft };
  return { ...explain(inspection, now), idleTimeoutSeconds, ...lifetimeSecondsLeft };
}

function explain({ verdict, signal, misses, at }: Inspection, now: number) {
  const leftOf = (secondsLeft: number) => round(Math.max(0, secondsLeft - (now - at) / 1000));
  switch (verdict.verdict) {
    case 'busy': {
      const count = signal.kind === 'use' ? signal.activeConnections : 0;
      return { verdict: 'busy', why: `${count} connection${count === 1 ? '' : 's'} open` };
    }
    case 'idle': {
      const secondsLeft = leftOf(verdict.secondsLeft);
      const why = `nobody is connected; it is reaped in ${secondsLeft} s unless somebody comes`;
      return { verdict: 'idle', secondsLeft, why };
    }
    case 'unknown': {
      if (!verdict.left) {
        const why = 'use can not be seen, and unknown is not idle; its idle time stands still';
        return { verdict: 'unknown', why };
      }
      const missesLeft = verdict.left.misses;
      const secondsLeft = leftOf(verdict.left.seconds);
      const why =
        `status unreachable ${misses} times in a row; it ends after ${missesLeft} more and ${secondsLeft} s, ` +
        'whichever is later, unless its status answers or a router sees visitors';
      return { verdict: 'unknown', missesLeft, secondsLeft, why };
    }
    case 'kept':
      return verdict;
    case 'reap':
      return { verdict: 'reap', secondsLeft: 0, why: `about to be reaped: ${verdict.reason}` };
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function seconds(ms: number): number {
  return round(Math.max(0, ms) / 1000);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

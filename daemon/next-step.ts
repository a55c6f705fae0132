import { isForbiddenAddress } from '../njs/backends.ts';
import type { Observation, Place } from './runtime/runtime.ts';
import type { Failure, Session } from './session.ts';

/** What a session needs next. */
export type Step =
  | { do: 'nothing' }
  | { do: 'look again'; inMs: number }
  | { do: 'become ready'; place: Place }
  | { do: 'stop serving'; why: string }
  | { do: 'fail'; failure: Omit<Failure, 'output'> }
  | { do: 'end' }
  | { do: 'clean up' };

/**
 * The whole life of a session as one decision: from what it is and what its runtime sees to what happens next.
 * @param now milliseconds since 1970
 */
export function nextStep(
  session: Pick<Session, 'state' | 'ending' | 'readyAt' | 'waitingSince' | 'backend' | 'hurdle'>,
  observed: Observation,
  now: number,
  startTimeoutMs: number,
): Step {
  if (session.state === 'failed' || session.state === 'gone') {
    return observed.phase === 'missing' ? { do: 'nothing' } : { do: 'clean up' };
  }
  if (session.ending) return { do: 'end' };
  const facedMs = now - (session.hurdle?.since ?? now);
  switch (observed.phase) {
    case 'missing':
      return { do: 'fail', failure: { code: 'app_lost', message: 'The app is not there any more.' } };
    case 'exited':
      return { do: 'fail', failure: observed.failure };
    case 'listening':
      if (session.state !== 'ready' || session.backend !== observed.backend) {
        return { do: 'become ready', place: observed };
      }
      return observed.doubt === undefined
        ? { do: 'nothing' }
        : inDoubt(observed.doubt, facedMs, startTimeoutMs);
    case 'starting': {
      if (session.state !== 'starting') return { do: 'stop serving', why: observed.lacks };
      const waitedMs = now - session.waitingSince;
      const { hurdle } = observed;
      if (hurdle && facedMs >= hurdle.patienceMs) return { do: 'fail', failure: hurdle.failure };
      if (waitedMs < startTimeoutMs) {
        return {
          do: 'look again',
          inMs: Math.min(startTimeoutMs - waitedMs, hurdle ? hurdle.patienceMs - facedMs : Infinity),
        };
      }
      const code = session.readyAt === undefined ? 'app_start_timeout' : 'app_unready';
      const message = `After ${startTimeoutMs / 1000} s (--start-timeout) ${observed.lacks}.`;
      return { do: 'fail', failure: { code, message } };
    }
  }
}

function inDoubt(doubt: string, facedMs: number, patienceMs: number): Step {
  if (facedMs < patienceMs) return { do: 'look again', inMs: patienceMs - facedMs };
  const message = `For ${patienceMs / 1000} s (--start-timeout) ${doubt}.`;
  return { do: 'fail', failure: { code: 'app_unready', message } };
}

/**
 * What the runtime sees of a session; but one that listens where no visitor can be led has failed.
 * @param refusedBy routers that may not lead there
 */
export function ifReachable(observed: Observation, refusedBy: string[]): Observation {
  if (observed.phase !== 'listening') return observed;
  const { backend } = observed;
  if (isForbiddenAddress(backend)) {
    return unreachable(`Its address ${backend} is none of a session: no router may lead there.`);
  }
  if (refusedBy.length === 0) return observed;
  return unreachable(
    `By its settings, the router ${refusedBy.join(', ')} may not lead to ${backend}: allow it (--backend, SPAWNER_BACKENDS).`,
  );
}

function unreachable(message: string): Observation {
  return { phase: 'exited', failure: { code: 'backend_refused', message } };
}

/** The trouble that a session faces now, and since when: the patience with it begins when it is first seen. */
export function facedHurdle(known: Session['hurdle'], observed: Observation, now: number): Session['hurdle'] {
  const code = troubleOf(observed)?.code;
  if (code === undefined) return undefined;
  return known?.code === code ? known : { code, since: now };
}

/** What is wrong with a session and may pass. */
export function troubleOf(observed: Observation): Omit<Failure, 'output'> | undefined {
  if (observed.phase === 'starting') return observed.hurdle?.failure;
  if (observed.phase !== 'listening' || observed.doubt === undefined) return undefined;
  return { code: 'app_unready', message: observed.doubt };
}

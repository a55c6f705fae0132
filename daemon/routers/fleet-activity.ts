import { isAbsent, type RouterActivity } from './router-client.ts';

/** Requests to one session that run now, and that were ever begun. */
export interface Counts {
  active: number;
  total: number;
}

/** What all routers together know of use. */
export interface FleetActivity {
  sessions: Map<string, Counts>;
  /** True if no router can let visitors in unseen: each has answered or lets nobody in. */
  quiet: boolean;
  /** True if no router can carry visitors unseen, and at least one is there. */
  complete: boolean;
  /** Another value than last time: what a router had counted is lost, for it restarted, went or does not answer. */
  boots: string;
  /** A router has no room to count in: what it reports is too low. */
  uncounted: boolean;
}

export interface Reading {
  answer: RouterActivity | Error;
  /** Whether it may still carry visitors if nobody listens at its admin API: then it lets no new ones in. */
  mayShutDown: boolean;
}

/**
 * The answer makes one account of one reading of every router, and compares it with the last one. A router that is
 * new loses nothing: it has counted all it ever served, so idle times go on.
 */
export function createFleetAccount(): (readings: Reading[]) => FleetActivity {
  let bootsBefore: string[] = [];
  let losses = 0;
  return (readings) => {
    const answers = readings.map(({ answer }) => answer);
    const seen = answers.filter((answer): answer is RouterActivity => !(answer instanceof Error));
    const boots = seen.map(({ bootId }) => bootId);
    if (bootsBefore.some((bootId) => !boots.includes(bootId))) losses += 1;
    bootsBefore = boots;
    const quiet = !readings.some(hangs);
    const closing = readings.some(({ answer, mayShutDown }) => mayShutDown && isAbsent(answer));
    return {
      sessions: sumBySession(seen),
      quiet,
      complete: quiet && !closing && seen.length > 0,
      boots: String(losses),
      uncounted: seen.some((activity) => activity.uncounted > 0),
    };
  };
}

function hangs({ answer }: Reading): boolean {
  return answer instanceof Error && !isAbsent(answer);
}

function sumBySession(seen: RouterActivity[]): FleetActivity['sessions'] {
  const sessions: FleetActivity['sessions'] = new Map();
  for (const activity of seen) {
    for (const id of Object.keys(activity.sessions)) {
      const counts = activity.sessions[id] as Counts;
      const sum = sessions.get(id);
      sessions.set(
        id,
        sum ? { active: sum.active + counts.active, total: sum.total + counts.total } : counts,
      );
    }
  }
  return sessions;
}

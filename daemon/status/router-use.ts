/**
 * Turns what routers count (requests running now, requests begun ever) into use over time. It compares counts and
 * adds up the time between readings, so no clock but the daemon's own monotonic one matters.
 */
import { coalesce } from '../coalesce.ts';
import type { FleetActivity, Routers } from '../routers/routers.ts';
import type { Session } from '../session.ts';
import type { Signal } from './verdict.ts';

interface Times {
  /** Time during which routers were seen to carry nothing. */
  idleMs: number;
  /** Time during which no request can have come in. What a router that shuts down may still carry is left aside. */
  unseenMs: number;
}

export interface Use extends Times {
  active: number;
  total: number;
}

/** One more reading of one session. `fresh`: counts began anew or can't be trusted, so nothing can be compared. */
export function observeUse(
  before: Use | undefined,
  counts: { active: number; total: number },
  elapsed: Times,
  fresh: boolean,
): Use {
  const used = before === undefined || fresh || counts.active > 0 || counts.total !== before.total;
  if (used) return { ...counts, ...NO_TIME };
  return {
    ...counts,
    idleMs: before.idleMs + elapsed.idleMs,
    unseenMs: before.unseenMs + elapsed.unseenMs,
  };
}

export interface RouterUse {
  /** Takes a reading that begins after the call. */
  refresh(): Promise<Pick<FleetActivity, 'quiet' | 'complete'>>;
  /** All use, as of the last reading. Unknown while no router is there, or one may carry visitors unseen. */
  signal(id: string): Signal;
  /**
   * The same without the connections that a router which shuts down may still carry to their end: it lets nobody in,
   * so this is known then too, and while no router is there.
   */
  requests(id: string): Signal;
  /** Another text than before whenever somebody came in between, or may have. */
  arrivals(id: string): string;
}

const NONE = { active: 0, total: 0 };
const NO_TIME: Times = { idleMs: 0, unseenMs: 0 };

/** @param sessions those to keep account of */
export function createRouterUse(
  routers: Pick<Routers, 'activity'>,
  sessions: () => Pick<Session, 'id' | 'state'>[],
  now: () => number,
): RouterUse {
  let uses = new Map<string, Use>();
  let boots = '';
  let readAt = now();
  let complete = false;
  let quiet = false;
  let uncounted = false;

  function take(activity: FleetActivity): void {
    const at = now();
    // Without a look at every router the time since the last one proves nothing.
    const elapsed = {
      idleMs: activity.complete ? at - readAt : 0,
      unseenMs: activity.quiet ? at - readAt : 0,
    };
    const fresh = activity.uncounted || activity.boots !== boots;
    uses = new Map(
      sessions().map(({ id, state }) => {
        // Who waits for a session that does not serve is held uncounted: its time stands still.
        const time = state === 'starting' ? NO_TIME : elapsed;
        return [id, observeUse(uses.get(id), activity.sessions.get(id) ?? NONE, time, fresh)];
      }),
    );
    ({ boots, complete, quiet, uncounted } = activity);
    readAt = at;
  }

  function say(id: string, known: boolean, time: keyof Times): Signal {
    const use = uses.get(id);
    if (!use) return { kind: 'unknown', message: 'the routers were not asked yet' };
    if (use.active === 0 && uncounted)
      return { kind: 'unknown', message: 'a router has no room to count in' };
    if (use.active === 0 && !known) {
      const message = quiet ? 'no router is there, or one is shutting down' : 'a router does not answer';
      return { kind: 'unknown', message };
    }
    return { kind: 'use', activeConnections: use.active, secondsInactive: use[time] / 1000 };
  }

  return {
    refresh: coalesce(async () => {
      const activity = await routers.activity();
      take(activity);
      return activity;
    }),
    signal: (id) => say(id, complete, 'idleMs'),
    requests: (id) => say(id, quiet, 'unseenMs'),
    arrivals: (id) => `${boots} ${uses.get(id)?.total ?? 0}`,
  };
}

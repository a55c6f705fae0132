/**
 * Turns what routers count (requests running now, requests begun ever) into use over time. It compares counts and
 * adds up the time between readings, so no clock but the daemon's own monotonic one matters. Of a session that nobody
 * uses there is nothing to write: thousands are looked at each second.
 */
import { coalesce } from '../coalesce.ts';
import type { Counts } from '../routers/fleet-activity.ts';
import type { FleetActivity, Routers } from '../routers/routers.ts';
import type { Session } from '../session.ts';
import type { Signal } from './verdict.ts';

/** Clocks in milliseconds, each of which runs only while it can be told that nothing came. */
export interface Clocks {
  /** While routers were seen to carry nothing but what they count. */
  idleMs: number;
  /** While no request can have come in uncounted. What a router that shuts down may still carry is left aside. */
  unseenMs: number;
}

export interface Use extends Counts {
  /** What the clocks showed when it was used last. */
  since: Clocks;
}

/** One more reading of one session. `fresh`: counts began anew or can't be trusted, so nothing can be compared. */
export function observeUse(
  before: Use | undefined,
  { active, total }: Counts,
  clocks: Clocks,
  fresh: boolean,
): Use {
  const used = before === undefined || fresh || active > 0 || total !== before.total;
  if (used) return { active, total, since: clocks };
  return before.active === 0 ? before : { ...before, active };
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

const NONE: Counts = { active: 0, total: 0 };

/** @param sessions those to keep account of */
export function createRouterUse(
  routers: Pick<Routers, 'activity'>,
  sessions: () => Pick<Session, 'id' | 'state'>[],
  now: () => number,
): RouterUse {
  const uses = new Map<string, Use>();
  let clocks: Clocks = { idleMs: 0, unseenMs: 0 };
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
    clocks = add(clocks, elapsed);
    const fresh = activity.uncounted || activity.boots !== boots;
    const present = sessions();
    for (const { id, state } of present) {
      const use = observeUse(uses.get(id), activity.sessions.get(id) ?? NONE, clocks, fresh);
      // Who waits for a session that does not serve is held uncounted: its time stands still.
      const stands = state === 'starting' && use.since !== clocks;
      uses.set(id, stands ? { ...use, since: add(use.since, elapsed) } : use);
    }
    if (uses.size > present.length) forgetAllBut(new Set(present.map(({ id }) => id)));
    ({ boots, complete, quiet, uncounted } = activity);
    readAt = at;
  }

  function forgetAllBut(present: Set<string>): void {
    for (const id of uses.keys()) if (!present.has(id)) uses.delete(id);
  }

  function say(id: string, known: boolean, clock: keyof Clocks): Signal {
    const use = uses.get(id);
    if (!use) return { kind: 'unknown', message: 'the routers were not asked yet' };
    if (use.active === 0 && uncounted)
      return { kind: 'unknown', message: 'a router has no room to count in' };
    if (use.active === 0 && !known) {
      const message = quiet ? 'no router is there, or one is shutting down' : 'a router does not answer';
      return { kind: 'unknown', message };
    }
    return {
      kind: 'use',
      activeConnections: use.active,
      secondsInactive: (clocks[clock] - use.since[clock]) / 1000,
    };
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

function add(one: Clocks, other: Clocks): Clocks {
  return { idleMs: one.idleMs + other.idleMs, unseenMs: one.unseenMs + other.unseenMs };
}

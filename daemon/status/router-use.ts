/**
 * Turns what routers count (requests running now, requests begun ever) into use over time. It compares counts and
 * adds up the time between readings, so no clock but the daemon's own monotonic one matters.
 */
import { coalesce } from '../coalesce.ts';
import type { FleetActivity, Routers } from '../routers/routers.ts';
import type { Signal } from './verdict.ts';

export interface Use {
  active: number;
  total: number;
  /** Time during which routers were seen to carry nothing. */
  idleMs: number;
}

/** One more reading of one session. `fresh`: counts began anew or can't be trusted, so nothing can be compared. */
export function observeUse(
  before: Use | undefined,
  counts: { active: number; total: number },
  elapsedMs: number,
  fresh: boolean,
): Use {
  const used = before === undefined || fresh || counts.active > 0 || counts.total !== before.total;
  return { ...counts, idleMs: used ? 0 : before.idleMs + elapsedMs };
}

export interface RouterUse {
  /** Takes a reading that begins after the call. */
  refresh(): Promise<Pick<FleetActivity, 'quiet' | 'complete'>>;
  /** As of the last reading. */
  signal(id: string): Signal;
  /** Another text than before whenever somebody came in between, or may have. */
  arrivals(id: string): string;
}

const NONE = { active: 0, total: 0 };

/** @param ids the sessions to keep account of */
export function createRouterUse(
  routers: Pick<Routers, 'activity'>,
  ids: () => string[],
  now: () => number,
): RouterUse {
  let uses = new Map<string, Use>();
  let boots = '';
  let readAt = now();
  let complete = false;
  let uncounted = false;

  function take(activity: FleetActivity): void {
    const at = now();
    // Without a look at every router the time since the last one proves nothing.
    const elapsedMs = activity.complete ? at - readAt : 0;
    const fresh = activity.uncounted || activity.boots !== boots;
    uses = new Map(
      ids().map((id) => [id, observeUse(uses.get(id), activity.sessions.get(id) ?? NONE, elapsedMs, fresh)]),
    );
    ({ boots, complete, uncounted } = activity);
    readAt = at;
  }

  return {
    refresh: coalesce(async () => {
      const activity = await routers.activity();
      take(activity);
      return activity;
    }),
    signal(id) {
      const use = uses.get(id);
      if (!use) return { kind: 'unknown', message: 'the routers were not asked yet' };
      if (use.active === 0 && uncounted)
        return { kind: 'unknown', message: 'a router has no room to count in' };
      if (use.active === 0 && !complete) return { kind: 'unknown', message: 'a router does not answer' };
      return { kind: 'use', activeConnections: use.active, secondsInactive: use.idleMs / 1000 };
    },
    arrivals: (id) => `${boots} ${uses.get(id)?.total ?? 0}`,
  };
}

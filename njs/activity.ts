import { isLivingWorker } from './workers.ts';
import { activityZone, EVERYTHING, routesZone } from './zones.ts';

/**
 * How many requests and WebSockets of a session are running, and how many ever began.
 *
 * Each worker counts under keys of its own, `<pid>/<id>`, so that the counts of a killed worker can be told from
 * living ones. A value is `began * 2^20 + running`: one write a phase. The part of the key after the pid is the
 * request's mark; the log phase takes back what the mark says.
 */
const BEGAN = 1048576;
const UNCOUNTED = 'uncounted';

export interface Activity {
  /** Requests that were served without being counted, because the zone was full. */
  uncounted: number;
  sessions: { [id: string]: { active: number; total: number } };
}

/** Makes the one key that must exist before the zone is full. */
export function prepareActivity(): void {
  activityZone().add(UNCOUNTED, 0);
}

/** Counts a request; returns its mark, or '' if it could not be counted. */
export function beginRequest(id: string): string {
  const mark = `/${id}`;
  try {
    activityZone().incr(process.pid + mark, BEGAN + 1, 0);
    return mark;
  } catch (_error) {
    countUncounted();
    return '';
  }
}

/** As if `beginRequest` had not been. */
export function undoRequest(mark: string): void {
  if (mark !== '') {
    activityZone().incr(process.pid + mark, -BEGAN - 1, 0);
  }
}

export function endRequest(mark: string): void {
  activityZone().incr(process.pid + mark, -1, 0);
}

/** Too little room to count the requests of one more session. */
export function isActivityNearlyFull(): boolean {
  const zone = activityZone();
  return zone.freeSpace() < zone.capacity / 8;
}

/** Sums over the living workers, and drops the keys of dead ones and of sessions that are over. */
export function readActivity(tableIsFilled: boolean): Activity {
  const zone = activityZone();
  const living: { [pid: string]: boolean } = {};
  const activity: Activity = { uncounted: zone.get(UNCOUNTED) || 0, sessions: {} };
  zone.items(EVERYTHING).forEach((item) => {
    const key = /^(\d+)[/+]([a-z0-9]*)$/.exec(item[0]);
    if (key === null) {
      return;
    }
    const pid = key[1] as string;
    const id = key[2] as string;
    if (living[pid] === undefined) {
      living[pid] = isLivingWorker(Number(pid));
    }
    const held = item[0].charAt(pid.length) === '+';
    if (!living[pid]) {
      zone.delete(item[0]);
    } else if (!held) {
      const active = item[1] % BEGAN;
      // An id is never used twice; but before the table is filled, a route that is absent may only be late.
      if (active === 0 && tableIsFilled && !routesZone().has(id)) {
        zone.delete(item[0]);
      } else {
        addTo(activity, id, active, Math.floor(item[1] / BEGAN));
      }
    }
  });
  return activity;
}

function addTo(activity: Activity, id: string, active: number, total: number): void {
  const sum = activity.sessions[id] || { active: 0, total: 0 };
  activity.sessions[id] = { active: sum.active + active, total: sum.total + total };
}

function countUncounted(): void {
  try {
    // One line for the first, not for each: a full zone under load would fill the disk with the log.
    if (activityZone().incr(UNCOUNTED, 1) === 1) {
      ngx.log(ngx.ERR, 'spawner: the activity zone is full: requests are served but not counted; enlarge it');
    }
  } catch (_error) {
    ngx.log(ngx.ERR, 'spawner: the activity zone is too small to count anything; enlarge it');
  }
}

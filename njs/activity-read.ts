import { keepTotal, readCount } from './activity-zone.ts';
import { idOfRevocationKey } from './watch-mark.ts';
import { isLivingWorker } from './workers.ts';
import { activityZone, EVERYTHING, routesZone } from './zones.ts';

export interface Activity {
  [id: string]: { active: number; total: number };
}

/** The pid under which stands what began in workers that are dead, so that a session's total never falls. */
const PAST = '0';

/** Sums over the workers. Drops the keys of dead ones, whose requests died with them, and of sessions that are over. */
export function readActivity(tableIsFilled: boolean): Activity {
  const zone = activityZone();
  const living: { [pid: string]: boolean } = {};
  living[PAST] = true;
  const activity: Activity = {};
  zone.items(EVERYTHING).forEach((item) => {
    const revocable = idOfRevocationKey(item[0]);
    if (revocable !== '' && tableIsFilled && !routesZone().has(revocable)) {
      zone.delete(item[0]);
      return;
    }
    const key = /^(\d+)(\/|\+~?)([a-z0-9]*)$/.exec(item[0]);
    if (key === null) {
      return;
    }
    const pid = key[1] as string;
    const id = key[3] as string;
    if (living[pid] === undefined) {
      living[pid] = isLivingWorker(Number(pid));
    }
    const dropped = !living[pid] && zone.delete(item[0]);
    if (key[2] !== '/') {
      return; // Held requests: each worker counts them for itself alone.
    }
    const count = readCount(item[1]);
    const active = living[pid] ? count.active : 0;
    // An id is never used twice; but before the table is filled, a route that is absent may only be late.
    if (active === 0 && tableIsFilled && !routesZone().has(id)) {
      zone.delete(item[0]);
      return;
    }
    // Two workers may read at a time: the one that dropped the key keeps its total.
    if (dropped) {
      keepTotal(`${PAST}/${id}`, count.began);
    }
    const sum = activity[id] || { active: 0, total: 0 };
    activity[id] = { active: sum.active + active, total: sum.total + count.began };
  });
  return activity;
}

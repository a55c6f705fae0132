import { BEGAN } from './activity.ts';
import { report } from './log.ts';
import { activityZone } from './zones.ts';

/** The activity zone as a whole: njs/activity.ts says what is in it. */
const UNCOUNTED = 'uncounted';
// Measured: docs/capacity.md.
const ENTRY_BYTES = 260;

/** What a value says. */
export function readCount(value: number): { active: number; began: number } {
  return { active: value % BEGAN, began: Math.floor(value / BEGAN) };
}

/** How many requests were served without being counted, because the zone was full. */
export function uncounted(): number {
  return activityZone().get(UNCOUNTED) || 0;
}

/** Makes the one key that must exist before the zone is full. */
export function prepareActivity(): void {
  activityZone().add(UNCOUNTED, 0);
}

/** Takes over what began in a worker that is dead. */
export function keepTotal(key: string, began: number): void {
  try {
    activityZone().incr(key, began * BEGAN, 0);
  } catch (_error) {
    countUncounted();
  }
}

/** Too little room to count the requests of many more sessions. */
export function isActivityNearlyFull(): boolean {
  const zone = activityZone();
  if (zone.freeSpace() >= zone.capacity / 8) {
    return false;
  }
  // Only whole free pages are free space: a page that one session holds may have room for fifteen more.
  return zone.size() * ENTRY_BYTES > (zone.capacity * 3) / 4;
}

/** For a request that is served without being counted, because the zone is full. */
export function countUncounted(): void {
  try {
    // One line for the first, not for each: a full zone under load would fill the disk with the log.
    if (activityZone().incr(UNCOUNTED, 1) === 1) {
      report('the activity zone is full: requests are served but not counted; enlarge it', undefined);
    }
  } catch (_error) {
    report('the activity zone is too small to count anything; enlarge it', undefined);
  }
}

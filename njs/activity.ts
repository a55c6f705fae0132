import { report } from './log.ts';
import { activityZone } from './zones.ts';

/**
 * How many requests and WebSockets of a session are running, and how many ever began.
 *
 * Each worker counts under keys of its own, `<pid>/<id>`, so that the counts of a killed worker can be told from
 * living ones. A value is `began * 2^20 + running`: one write a phase. The part of the key after the pid is the
 * request's mark; the log phase takes back what the mark says.
 */
const BEGAN = 1048576;
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

function countUncounted(): void {
  try {
    // One line for the first, not for each: a full zone under load would fill the disk with the log.
    if (activityZone().incr(UNCOUNTED, 1) === 1) {
      report('the activity zone is full: requests are served but not counted; enlarge it', undefined);
    }
  } catch (_error) {
    report('the activity zone is too small to count anything; enlarge it', undefined);
  }
}

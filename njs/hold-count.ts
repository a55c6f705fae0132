import { activityZone } from './zones.ts';

/**
 * How many requests this worker holds: in all (`<pid>+`) and for one session (`<pid>+<id>`). Only the worker itself
 * writes to its keys, so reading and then writing is safe.
 */
export function isHoldMark(mark: string): boolean {
  return mark.charAt(0) === '+';
}

/** The mark of one more held request, or '' if a bound is reached or the zone is full. */
export function beginHold(id: string, most: number, mostPerSession: number): string {
  const mark = `+${id}`;
  if (count('+') >= most || count(mark) >= mostPerSession) {
    return '';
  }
  try {
    add('+', 1);
  } catch (_error) {
    return '';
  }
  try {
    add(mark, 1);
  } catch (_error) {
    add('+', -1);
    return '';
  }
  return mark;
}

export function endHold(mark: string): void {
  add('+', -1);
  add(mark, -1);
}

function count(suffix: string): number {
  return activityZone().get(process.pid + suffix) || 0;
}

function add(suffix: string, delta: number): void {
  const key = process.pid + suffix;
  if (activityZone().incr(key, delta, 0) === 0) {
    activityZone().delete(key);
  }
}

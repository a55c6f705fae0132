import { activityZone } from './zones.ts';

/**
 * How many requests this worker holds: in all (`<pid>+`) and for one session (`<pid>+<id>`); apart from them, how many
 * questions of waiting pages (`<pid>+~` and `<pid>+~<id>`), which need no access token, so that they take no visitor's
 * place. Only the worker itself writes to its keys, so reading and then writing is safe.
 */
export type Held = '+' | '+~';

export function isHoldMark(mark: string): boolean {
  return mark.charAt(0) === '+';
}

/** The mark of one more held request, or '' if a bound is reached or the zone is full. */
export function beginHold(held: Held, id: string, most: number, mostPerSession: number): string {
  const mark = held + id;
  if (count(held) >= most || count(mark) >= mostPerSession) {
    return '';
  }
  try {
    add(held, 1);
  } catch (_error) {
    return '';
  }
  try {
    add(mark, 1);
  } catch (_error) {
    add(held, -1);
    return '';
  }
  return mark;
}

export function endHold(mark: string): void {
  add(mark.charAt(1) === '~' ? '+~' : '+', -1); // no id has such a letter
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

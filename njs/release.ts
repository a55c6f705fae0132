import { endHold, isHoldMark } from './hold-count.ts';
import { activityZone } from './zones.ts';

/** `$spawner_release` where a request ends without a backend: it was counted (njs/forward.ts), or held, or neither. */
export function release(r: NginxHTTPRequest): string {
  const mark = r.variables.spawner_mark || '';
  if (isHoldMark(mark)) {
    endHold(mark);
  } else if (mark !== '') {
    activityZone().incr(mark.replace('?', ''), -1, 0);
  }
  return '';
}

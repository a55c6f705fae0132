import { beginRequest, endRequest, undoRequest } from './activity.ts';
import { endHold, isHoldMark } from './hold-count.ts';
import { rareToken } from './rare-token.ts';
import { asksForToken, readyAddress } from './route.ts';
import { routesZone } from './zones.ts';

/**
 * `$spawner_backend` and `$spawner_held`: where this request goes, or '' if it can't go anywhere now.
 *
 * The route is read again after the request was counted. The daemon, to end a session, writes `draining` and then
 * reads the counts: whichever comes first, either it sees this request or this request sees `draining`. So nobody
 * is let in and then cut off.
 */
export function backend(r: NginxHTTPRequest): string {
  const id = r.variables.spawner_id as string;
  const routes = routesZone();
  const route = routes.get(id) || '';
  const address = readyAddress(route);
  if (address === '' || (asksForToken(route) && !rareToken().admit(r, route))) {
    return '';
  }
  const mark = beginRequest(id);
  if (routes.get(id) !== route) {
    undoRequest(mark);
    return '';
  }
  r.variables.spawner_mark = mark;
  return address;
}

/**
 * `$spawner_release`: evaluated in the log phase, which every request ends in, however it ends. Always '', so that
 * the access log it is the condition of stays unwritten.
 */
export function release(r: NginxHTTPRequest): string {
  const mark = r.variables.spawner_mark;
  if (mark) {
    if (isHoldMark(mark)) {
      endHold(mark);
    } else {
      endRequest(mark);
    }
  }
  return '';
}

import { beginRequest, endRequest, undoRequest } from './activity.ts';
import { endHold, isHoldMark } from './hold-count.ts';
import { rarePool } from './rare-pool.ts';
import { rareToken } from './rare-token.ts';
import { asksForToken, isUntried, readyAddress, readyBackend } from './route.ts';
import { routesZone } from './zones.ts';

/** Begins the mark of a request that found out whether nginx' pool has its backend. */
const TRIED = '?';

/**
 * `$spawner_backend`: where this request goes: by its `sid` a peer of the pool, or an address; '' if it can't go
 * anywhere now.
 */
export function backend(r: NginxHTTPRequest): string {
  return enter(r, readyBackend);
}

/** `$spawner_direct` and `$spawner_held`: the same, and never by way of the pool. */
export function direct(r: NginxHTTPRequest): string {
  return enter(r, readyAddress);
}

/**
 * The route is read again after the request was counted. The daemon, to end a session, writes `draining` and then
 * reads the counts: whichever comes first, either it sees this request or this request sees `draining`. So nobody
 * is let in and then cut off.
 */
function enter(r: NginxHTTPRequest, place: (route: string) => string): string {
  const id = r.variables.spawner_id as string;
  const routes = routesZone();
  const route = routes.get(id) || '';
  const to = place(route);
  if (to === '' || (asksForToken(route) && !rareToken().admit(r, route))) {
    return '';
  }
  const mark = beginRequest(id);
  if (routes.get(id) !== route) {
    undoRequest(mark);
    return '';
  }
  r.variables.spawner_mark = isUntried(route) ? TRIED + mark : mark;
  return to;
}

/** `$spawner_unpooled`: the address of a backend that the pool did not have, for a request that asked it. */
export function unpooled(r: NginxHTTPRequest): string {
  return rarePool().forget(r);
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
    } else if (mark.startsWith(TRIED)) {
      endRequest(mark.slice(TRIED.length));
      rarePool().confirm(r);
    } else {
      endRequest(mark);
    }
  }
  return '';
}

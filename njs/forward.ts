import { BEGAN } from './activity.ts';
import { rareCount } from './rare-count.ts';
import { rarePool } from './rare-pool.ts';
import { rareToken } from './rare-token.ts';
import { backendOf, DIRECT, POOLED, readyAddress, UNTRIED, WITH_TOKEN } from './route.ts';

/** Begins the mark of a request that finds out whether nginx' pool has its backend: `?`. */
const TRIED = 63;

/**
 * `$spawner_backend`: where this request goes: by its `sid` a peer of the pool, or an address; '' if it can't go
 * anywhere now.
 */
export function backend(r: NginxHTTPRequest): string {
  const route = enter(r);
  if (route === '') {
    return '';
  }
  if (route.charCodeAt(0) === UNTRIED) {
    r.variables.spawner_mark = String.fromCharCode(TRIED) + r.variables.spawner_mark;
  }
  return backendOf(route);
}

/** `$spawner_direct` and `$spawner_held`: the same, and never by way of the pool. */
export function direct(r: NginxHTTPRequest): string {
  return readyAddress(enter(r));
}

/**
 * Counts the request (njs/activity.ts) and gives the route that it may take; '' if there is none. All in one function:
 * here calls of others are what costs.
 *
 * The route is read again after the request was counted. The daemon, to end a session, writes `draining` and then
 * reads the counts: whichever comes first, either it sees this request or this request sees `draining`. So nobody
 * is let in and then cut off.
 */
function enter(r: NginxHTTPRequest): string {
  const v = r.variables;
  const id = v.spawner_id as string;
  const routes = ngx.shared.spawner_routes as NgxSharedDict<string>;
  const route = routes.get(id) || '';
  const state = route.charCodeAt(0);
  if (state !== POOLED && state !== DIRECT && state !== UNTRIED) {
    return '';
  }
  if (route.length >= WITH_TOKEN && !rareToken().admit(r, route)) {
    return '';
  }
  const counts = ngx.shared.spawner_activity as NgxSharedDict<number>;
  const mark = `${process.pid}/${id}`;
  let counted = true;
  try {
    counts.incr(mark, BEGAN + 1, 0);
  } catch (_error) {
    counted = false;
    rareCount().countUncounted();
  }
  if (routes.get(id) !== route) {
    // As if it had not been.
    if (counted) {
      counts.incr(mark, -BEGAN - 1, 0);
    }
    return '';
  }
  if (counted) {
    v.spawner_mark = mark;
  }
  return route;
}

/**
 * `$spawner_release`: evaluated in the log phase, which every request ends in, however it ends. Always '', so that
 * the access log it is the condition of stays unwritten.
 */
export function release(r: NginxHTTPRequest): string {
  const mark = r.variables.spawner_mark;
  if (mark) {
    const counts = ngx.shared.spawner_activity as NgxSharedDict<number>;
    if (mark.charCodeAt(0) === TRIED) {
      counts.incr(mark.slice(1), -1, 0);
      rarePool().confirm(r);
    } else {
      counts.incr(mark, -1, 0);
    }
  }
  return '';
}

import { BEGAN, TRIED } from './activity.ts';
import { rareHot } from './rare-hot.ts';
import { ADDRESS_START, DIRECT, POOLED, SID_WIDTH, UNTRIED, WITH_TOKEN } from './route-layout.ts';

/**
 * `$spawner_backend`: counts the request (njs/activity.ts), and says where it goes: by its `sid` a peer of the pool, or
 * an address; '' if it can't go anywhere now. `unpooled`: always an address.
 *
 * The route is read again after the request was counted. The daemon, to end a session, writes `draining` and then
 * reads the counts: whichever comes first, either it sees this request or this request sees `draining`. So nobody
 * is let in and then cut off.
 *
 * All in one function: calls of others, and that there are others, are what costs here.
 */
export function backend(r: NginxHTTPRequest, unpooled?: boolean): string {
  const v = r.variables;
  const id = v.spawner_id as string;
  const routes = ngx.shared.spawner_routes as NgxSharedDict<string>;
  const route = routes.get(id) || '';
  const state = route.charCodeAt(0);
  if (state !== POOLED && state !== DIRECT && state !== UNTRIED) {
    return '';
  }
  if (route.length >= WITH_TOKEN && !rareHot().rareToken().admit(r, route)) {
    return '';
  }
  const counts = ngx.shared.spawner_activity as NgxSharedDict<number>;
  const mark = `${v.pid}/${id}`;
  let counted = true;
  try {
    counts.incr(mark, BEGAN + 1, 0);
  } catch (_error) {
    counted = false;
    rareHot().countUncounted();
  }
  if (routes.get(id) !== route) {
    // As if it had not been.
    if (counted) {
      counts.incr(mark, -BEGAN - 1, 0);
    }
    return '';
  }
  const direct = unpooled || state === DIRECT;
  if (counted) {
    v.spawner_mark = state === UNTRIED && !direct ? `?${mark}` : mark;
  }
  return direct ? route.slice(ADDRESS_START, route.indexOf(' ', ADDRESS_START)) : route.slice(-SID_WIDTH);
}

/** `$spawner_direct` and `$spawner_held`: the same, and never by way of the pool. */
export function direct(r: NginxHTTPRequest): string {
  return backend(r, true);
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
      rareHot().rarePool().confirm(r);
    } else {
      counts.incr(mark, -1, 0);
    }
  }
  return '';
}

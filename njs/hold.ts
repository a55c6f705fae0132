import { beginHold, endHold, type Held } from './hold-count.ts';
import { isNavigation } from './navigation.ts';
import { isSessionId, type RouteState } from './route.ts';
import { isFilled, readRoute } from './table.ts';
import { accessOf } from './token-access.ts';

/** The longest that the waiting page's question is left open: well below what proxies in between put up with. */
const WAIT_MS = 20000;
const SHORTEST_LOOK_MS = 25;
const LONGEST_LOOK_MS = 250;

type Seen = RouteState | 'unknown';

/**
 * The subrequest that a request without a ready backend waits for. 401 lets it go on to the backend, 403 has it
 * answered by the router: nginx's auth_request passes on no other status.
 */
export function hold(r: NginxHTTPRequest): void {
  const id = r.variables.spawner_id as string;
  const route = readRoute(id);
  if (route !== undefined && accessOf(r, route.tokenDigest) !== 'granted') {
    r.return(403);
    return;
  }
  // The variable, not r.method: a subrequest is always a GET.
  const shown = isNavigation(r.variables.request_method, r.headersIn);
  const milliseconds = shown ? 0 : 1000 * Number(r.variables.spawner_hold_seconds);
  whileStarting(r, '+', id, milliseconds, (state) => {
    r.return(state === 'ready' ? 401 : 403);
  });
}

/**
 * `GET /p/-/wait/<id>`, or `/.spawner/wait` at the session's own host: what the waiting page asks. Answers as soon as
 * the session is no longer starting.
 */
export function wait(r: NginxHTTPRequest): void {
  const v = r.variables;
  const id = v.spawner_mode === 'host' ? v.spawner_id || '' : r.uri.slice(r.uri.lastIndexOf('/') + 1);
  r.headersOut['Cache-Control'] = 'no-store';
  r.headersOut['Content-Type'] = 'application/json';
  whileStarting(r, '+~', isSessionId(id) ? id : '', WAIT_MS, (state) => {
    r.return(200, JSON.stringify({ state: state === 'unknown' && !isFilled() ? 'starting' : state }));
  });
}

/** Calls `done` once, at the latest after `milliseconds`; at once if too many requests are being held. */
function whileStarting(
  r: NginxHTTPRequest,
  held: Held,
  id: string,
  milliseconds: number,
  done: (state: Seen) => void,
): void {
  const state = stateOf(id);
  if (state !== 'starting' || milliseconds === 0) {
    done(state);
    return;
  }
  const most = Number(r.variables.spawner_hold_max);
  const mostPerSession = Number(r.variables.spawner_hold_max_per_session);
  const mark = beginHold(held, id, most, mostPerSession);
  if (mark === '') {
    done(state);
    return;
  }
  // For the log phase: it takes back the count of a request that ends before its hold does.
  r.variables.spawner_mark = mark;
  look(0);

  function look(waited: number): void {
    const now = stateOf(id);
    if (now !== 'starting' || waited >= milliseconds) {
      r.variables.spawner_mark = '';
      endHold(mark);
      done(now);
      return;
    }
    // The longer it took so far, the less a little more matters. What njs allocates in a look it frees only with
    // the request, so looks must be few.
    const delay = Math.min(Math.max(waited / 10, SHORTEST_LOOK_MS), LONGEST_LOOK_MS);
    setTimeout(look, delay, waited + delay);
  }
}

function stateOf(id: string): Seen {
  const route = readRoute(id);
  return route === undefined ? 'unknown' : route.state;
}

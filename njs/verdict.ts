import type { Route } from './route.ts';

/** Pure: which answer a request gets that is not proxied. */
export type Verdict =
  | 'bad_gateway'
  | 'gateway_timeout'
  | 'bad_request_target'
  | 'unknown_session'
  | 'router_not_filled'
  | 'session_gone'
  | 'session_draining'
  | 'session_starting'
  | 'waiting_page';

export interface Facts {
  /** nginx's `$upstream_status`: not empty if a backend was tried. Its own answers are never replaced. */
  upstreamStatus: string;
  /** The request target as the client sent it, and the path nginx made of it. */
  target: string;
  path: string;
  /** '' if the target names no session. */
  id: string;
  route: Route | undefined;
  filled: boolean;
  navigation: boolean;
}

export function verdictOn(facts: Facts): Verdict {
  if (facts.upstreamStatus !== '') {
    return facts.upstreamStatus.endsWith('504') ? 'gateway_timeout' : 'bad_gateway';
  }
  if (facts.id === '') {
    return firstSegment(facts.target) === firstSegment(facts.path) ? 'unknown_session' : 'bad_request_target';
  }
  if (facts.route === undefined) {
    return facts.filled ? 'unknown_session' : 'router_not_filled';
  }
  switch (facts.route.state) {
    case 'gone':
      return 'session_gone';
    case 'draining':
      return 'session_draining';
    // `ready` here: it became so a moment ago, and asking again will be served.
    default:
      return facts.navigation ? 'waiting_page' : 'session_starting';
  }
}

/** What stands where an id should: `x` of `/p/x/rest?query`. Undefined for what is not below `/p/`. */
function firstSegment(path: string): string | undefined {
  const match = /^\/p\/([^/?]*)/.exec(path);
  return match === null ? undefined : match[1];
}

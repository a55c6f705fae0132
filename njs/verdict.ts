import type { Route } from './route.ts';

/** Pure: which answer a request gets that no backend answers. The names are the `code`s of errors. */
export type Verdict =
  | 'bad_gateway'
  | 'gateway_timeout'
  | 'bad_request'
  | 'not_found'
  | 'method_not_allowed'
  | 'request_timeout'
  | 'body_too_large'
  | 'target_too_long'
  | 'headers_too_large'
  | 'not_implemented'
  | 'version_not_supported'
  | 'router_error'
  | 'bad_request_target'
  | 'unknown_session'
  | 'router_not_filled'
  | 'session_gone'
  | 'token_required'
  | 'enter'
  | 'origin_refused'
  | 'too_many_connections'
  | 'session_draining'
  | 'session_starting'
  | 'waiting_page';

/** What the visitor's token is good for: `enter` stands for a right one in the URL. */
export type Access = 'granted' | 'enter' | 'required';

export interface Facts {
  /** nginx's `$status`: why nginx itself does not serve the request; 418 or none if it has no backend for it. */
  status: string;
  /** nginx's `$upstream_status`: not empty if a backend was tried. Its own answers are never replaced. */
  upstreamStatus: string;
  /** '' if the request names no session. */
  id: string;
  /** Whether that is because it names two things at once. */
  ambiguous: boolean;
  route: Route | undefined;
  filled: boolean;
  access: Access;
  /** An upgrade asked for by a page that may not. */
  originRefused: boolean;
  /** More connections than one session may have. */
  limited: boolean;
  navigation: boolean;
}

/** nginx's own reasons. 494 is its number for what others call 431. */
const REASONS: { [status: string]: Verdict | undefined } = {
  400: 'bad_request',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'body_too_large',
  414: 'target_too_long',
  431: 'headers_too_large',
  494: 'headers_too_large',
  500: 'router_error',
  501: 'not_implemented',
  502: 'bad_gateway',
  504: 'gateway_timeout',
  505: 'version_not_supported',
};

export function verdictOn(facts: Facts): Verdict {
  const reason = REASONS[facts.status];
  if (reason !== undefined) {
    return reason;
  }
  if (facts.upstreamStatus !== '') {
    return facts.upstreamStatus.endsWith('504') ? 'gateway_timeout' : 'bad_gateway';
  }
  if (facts.id === '') {
    return facts.ambiguous ? 'bad_request_target' : 'unknown_session';
  }
  if (facts.route === undefined) {
    return facts.filled ? 'unknown_session' : 'router_not_filled';
  }
  return verdictOnRoute(facts.route, facts);
}

function verdictOnRoute(route: Route, facts: Facts): Verdict {
  if (route.state === 'gone') {
    return 'session_gone';
  }
  if (facts.access !== 'granted') {
    return facts.access === 'enter' ? 'enter' : 'token_required';
  }
  if (facts.originRefused) {
    return 'origin_refused';
  }
  if (facts.limited) {
    return 'too_many_connections';
  }
  if (route.state === 'draining') {
    return 'session_draining';
  }
  // `ready` here: it became so a moment ago, and asking again will be served.
  return facts.navigation ? 'waiting_page' : 'session_starting';
}

export interface Named {
  /** `path`, `path-kept` or `host`. */
  mode: string;
  /** The request target as the client sent it, and the path nginx made of it. */
  target: string;
  path: string;
  /** The host nginx took, from the target if that is absolute; and the Host header. */
  host: string;
  hostHeader: string;
}

/** Whether a request that names no session may mean one thing to nginx and another to a backend. */
export function isAmbiguous(named: Named): boolean {
  return named.mode === 'host'
    ? named.host.toLowerCase() !== named.hostHeader.toLowerCase().replace(/:\d*$/, '')
    : firstSegment(named.target) !== firstSegment(named.path);
}

/** What stands where an id should: `x` of `/p/x/rest?query`. Undefined for what is not below `/p/`. */
function firstSegment(path: string): string | undefined {
  const match = /^\/p\/([^/?]*)/.exec(path);
  return match === null ? undefined : match[1];
}

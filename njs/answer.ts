import { isNavigation } from './navigation.ts';
import { errorPage, waitingPage } from './pages.ts';
import { isFilled, readRoute } from './table.ts';
import { type Verdict, verdictOn } from './verdict.ts';

/**
 * The router's own answers below `/p/`. Not a js_content handler: that would first read the whole request body.
 * The body comes from a variable, and status and headers from a header filter.
 */
interface Answer {
  status: number;
  title: string;
  message: string;
  retry: boolean;
}

const ANSWERS: { [verdict in Verdict]: Answer } = {
  bad_gateway: answer(
    502,
    'The app does not answer',
    'The session runs, but its app refused the connection, cut it off, or sent headers that are too large.',
  ),
  gateway_timeout: answer(
    504,
    'The app takes too long',
    'The session runs, but its app did not answer in time.',
  ),
  bad_request_target: answer(400, 'Bad address', 'The path must name the session in plain characters.'),
  unknown_session: answer(404, 'No such session', 'There is no session at this address.'),
  router_not_filled: answer(503, 'One moment', 'The router has just started. Try again shortly.', true),
  session_gone: answer(410, 'This session has ended', 'It was over, or it could not be started.'),
  session_draining: answer(
    503,
    'This session is ending',
    'It takes no new requests. Try again shortly.',
    true,
  ),
  session_starting: answer(503, 'This session is starting', 'It is not ready yet. Try again shortly.', true),
  waiting_page: answer(200, 'Starting your session', ''),
};

/** `$spawner_answer`: the body. Leaves its verdict for the header filter, which must not judge anew. */
export function answerBody(r: NginxHTTPRequest): string {
  const v = r.variables;
  const id = v.spawner_id || '';
  const navigation = isNavigation(v.request_method, r.headersIn);
  const verdict = verdictOn({
    upstreamStatus: v.upstream_status || '',
    target: v.request_uri || '',
    path: r.uri,
    id,
    route: id === '' ? undefined : readRoute(id),
    filled: isFilled(),
    navigation,
  });
  v.spawner_verdict = verdict;
  const its = ANSWERS[verdict];
  const requestId = v.request_id || '';
  if (verdict === 'waiting_page') {
    return waitingPage(id, its.title);
  }
  if (navigation) {
    return errorPage(its.title, its.message, its.retry, `${verdict} ${requestId}`);
  }
  return `${JSON.stringify({ error: { code: verdict, message: its.message, requestId } })}\n`;
}

export function answerHeaders(r: NginxHTTPRequest): void {
  const its = ANSWERS[r.variables.spawner_verdict as Verdict];
  const html = isNavigation(r.variables.request_method, r.headersIn);
  r.status = its.status;
  r.headersOut['Content-Type'] = html ? 'text/html; charset=utf-8' : 'application/json';
  r.headersOut['Cache-Control'] = 'no-store';
  if (its.retry) {
    r.headersOut['Retry-After'] = '1';
  }
}

function answer(status: number, title: string, message: string, retry?: boolean): Answer {
  return { status, title, message, retry: retry === true };
}

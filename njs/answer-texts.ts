import type { Verdict } from './verdict.ts';

/** What the router's own answers say, to people and to programs. Nothing here names nginx or an address. */
export interface AnswerText {
  status: number;
  title: string;
  message: string;
  /** Whether to ask again soon. */
  retry: boolean;
}

export const ANSWERS: { [verdict in Verdict]: AnswerText } = {
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
  bad_request: answer(400, 'Bad request', 'The request is malformed, or a header of it is too long.'),
  not_found: answer(404, 'Nothing here', 'The router keeps this address for itself.'),
  method_not_allowed: answer(405, 'Method not allowed', 'The method of the request is not served here.'),
  request_timeout: answer(408, 'Request timeout', 'The request took too long to arrive.'),
  body_too_large: answer(413, 'Body too large', 'The body of the request is larger than is taken here.'),
  target_too_long: answer(
    414,
    'Address too long',
    'The address of the request is longer than is taken here.',
  ),
  headers_too_large: answer(
    431,
    'Headers too large',
    'The headers of the request are larger than is taken here.',
  ),
  not_implemented: answer(501, 'Not implemented', 'The request is encoded in a way that is not known here.'),
  version_not_supported: answer(505, 'HTTP version not supported', 'Use HTTP/1.1 or HTTP/2.'),
  router_error: answer(500, 'Something went wrong', 'The router failed to serve the request.'),
  bad_request_target: answer(
    400,
    'Bad address',
    'The address must name the session in plain characters, and once.',
  ),
  unknown_session: answer(404, 'No such session', 'There is no session at this address.'),
  router_not_filled: answer(503, 'One moment', 'The router has just started. Try again shortly.', true),
  session_gone: answer(410, 'This session has ended', 'It was over, or it could not be started.'),
  token_required: answer(
    403,
    'This session is private',
    'Open it by the link that you were given. If there is a newer one, only the newest works.',
  ),
  enter: answer(303, 'Welcome', ''),
  origin_refused: answer(403, 'Not from this page', 'Pages of this origin may not open WebSockets here.'),
  too_many_connections: answer(
    429,
    'Too many connections',
    'The session has as many connections as it may have. Close some, and try again.',
    true,
  ),
  session_draining: answer(
    503,
    'This session is ending',
    'It takes no new requests. Try again shortly.',
    true,
  ),
  session_starting: answer(503, 'This session is starting', 'It is not ready yet. Try again shortly.', true),
  waiting_page: answer(200, 'Starting your session', ''),
};

function answer(status: number, title: string, message: string, retry?: boolean): AnswerText {
  return { status, title, message, retry: retry === true };
}

import { type CorsRequest, corsHeaders, isPreflight } from './answer-cors.ts';
import { ANSWERS } from './answer-texts.ts';
import { guarded, report } from './log.ts';
import { isNavigation } from './navigation.ts';
import { errorPage, waitingPage } from './pages.ts';
import { isFilled, readRoute } from './table.ts';
import { accessOf, enterHeaders } from './token-access.ts';
import { isAmbiguous, type Verdict, verdictOn } from './verdict.ts';

/**
 * The router's own answers where sessions are served. Not a js_content handler: that would first read the whole
 * request body. The body comes from a variable, and status and headers from a header filter.
 */

/** `$spawner_answer`: the body. Leaves its verdict for the header filter, which must not judge anew. */
export function answerBody(r: NginxHTTPRequest): string {
  const v = r.variables;
  const verdict = guarded('answer', r, () => judge(r), failed);
  v.spawner_verdict = verdict;
  const its = ANSWERS[verdict];
  const requestId = v.request_id || '';
  if (its.status === 502 || its.status === 504) {
    report(`${verdict}: session ${v.spawner_id || '?'} at ${v.upstream_addr || 'no address'}`, v.request_id);
  }
  if (verdict === 'enter' || isPreflight(corsRequest(r), verdict)) {
    return '';
  }
  if (verdict === 'waiting_page') {
    return waitingPage(v.spawner_mode === 'host' ? '' : (v.spawner_id as string), its.title);
  }
  if (isNavigation(v.request_method, r.headersIn)) {
    return errorPage(its.title, its.message, its.retry, `${verdict} ${requestId}`);
  }
  return `${JSON.stringify({ error: { code: verdict, message: its.message, requestId } })}\n`;
}

export function answerHeaders(r: NginxHTTPRequest): void {
  const verdict = r.variables.spawner_verdict as Verdict;
  const its = ANSWERS[verdict];
  const html = isNavigation(r.variables.request_method, r.headersIn);
  const cors = corsRequest(r);
  r.status = isPreflight(cors, verdict) ? 200 : its.status;
  const headers: { [name: string]: string | Buffer } = {
    'Content-Type': html ? 'text/html; charset=utf-8' : 'application/json',
    'Cache-Control': 'no-store',
    ...corsHeaders(cors, verdict),
    ...(verdict === 'enter' ? enterHeaders(r) : {}),
  };
  if (its.retry) {
    headers['Retry-After'] = '1';
  }
  if (its.status === 405) {
    // nginx itself refuses TRACE and CONNECT.
    headers.Allow = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
  }
  Object.keys(headers).forEach((name) => {
    r.headersOut[name] = headers[name] as string;
  });
}

function failed(): Verdict {
  return 'router_error';
}

function judge(r: NginxHTTPRequest): Verdict {
  const v = r.variables;
  const id = v.spawner_id || '';
  const mode = v.spawner_mode || '';
  const route = id === '' ? undefined : readRoute(id);
  return verdictOn({
    status: v.status || '',
    upstreamStatus: v.upstream_status || '',
    id,
    ambiguous: isAmbiguous({
      mode,
      target: v.request_uri || '',
      path: r.uri,
      host: v.host || '',
      hostHeader: v.http_host || '',
    }),
    route,
    filled: isFilled(),
    access: route === undefined ? 'granted' : accessOf(r, route.tokenDigest),
    originRefused: v.spawner_origin_refused === '1',
    limited: v.limit_conn_status === 'REJECTED',
    navigation: isNavigation(v.request_method, r.headersIn),
  });
}

function corsRequest(r: NginxHTTPRequest): CorsRequest {
  return {
    method: r.variables.request_method || '',
    origin: r.headersIn.Origin || '',
    requestMethod: r.headersIn['Access-Control-Request-Method'] || '',
    requestHeaders: r.headersIn['Access-Control-Request-Headers'] || '',
  };
}

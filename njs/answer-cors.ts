import type { Verdict } from './verdict.ts';

/** Pure: what lets a page of another origin read the router's own answers (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export interface CorsRequest {
  method: string;
  /** The headers Origin and Access-Control-Request-Method and -Headers; '' for none. */
  origin: string;
  requestMethod: string;
  requestHeaders: string;
}

/**
 * Where nobody will ever be reached. Elsewhere the app might be by the time the page's real request comes, and that
 * request would have a consent which is the app's to give.
 */
const FINAL: Verdict[] = ['unknown_session', 'session_gone', 'bad_request_target'];

/** Whether the answer is to a browser's question (a preflight) that is best answered with yes, so that the page sees the error. */
export function isPreflight(request: CorsRequest, verdict: Verdict): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.requestMethod !== '' &&
    isOrigin(request.origin) &&
    FINAL.includes(verdict)
  );
}

export function corsHeaders(request: CorsRequest, verdict: Verdict): { [name: string]: string } {
  const headers: { [name: string]: string } = { Vary: 'Origin, Accept, Sec-Fetch-Mode' };
  if (isOrigin(request.origin)) {
    headers['Access-Control-Allow-Origin'] = request.origin;
    headers['Access-Control-Allow-Credentials'] = 'true';
    headers['Access-Control-Expose-Headers'] = 'Retry-After';
  }
  if (isPreflight(request, verdict)) {
    headers['Access-Control-Allow-Methods'] = request.requestMethod;
    headers['Access-Control-Allow-Headers'] = request.requestHeaders;
    headers['Access-Control-Max-Age'] = '0';
  }
  return headers;
}

/** One origin, or `null`: https://fetch.spec.whatwg.org/#origin-header. */
function isOrigin(text: string): boolean {
  return /^(null|[a-z][a-z0-9+.-]*:\/\/[^\s,/]+)$/i.test(text);
}

// biome-ignore lint/style/useNodejsImportProtocol: njs knows its modules by the bare name only.
import crypto from 'crypto';
import { isLossy, toBuffer } from './rewrite-bytes.ts';
import { decodeRoute, isTokenDigest, type Route } from './route.ts';
import { readRoute } from './table.ts';
import { sameText } from './token.ts';
import { cookieName, cookieValues, tokenCookie, type Where, withoutTokenCookies } from './token-cookie.ts';
import { asLocation, tokensOf, withoutTokens } from './token-url.ts';
import type { Access } from './verdict.ts';

/** Whether a visitor may use a session whose route has this digest: '' for one that asks for no token. */
export function accessOf(r: NginxHTTPRequest, digest: string): Access {
  if (digest === '') {
    return 'granted';
  }
  if (rightTokenInUrl(r, digest) !== undefined) {
    return 'enter';
  }
  const cookies = cookieValues(r.headersIn.Cookie || '', cookieName(whereOf(r)));
  return rightOne(cookies, digest) === undefined ? 'required' : 'granted';
}

/** Whether a visitor may use a session with a token now. If so, `$spawner_watched` says that it has to be watched. */
export function admit(r: NginxHTTPRequest, route: string): boolean {
  const its = decodeRoute(route) as Route;
  const admitted = accessOf(r, its.tokenDigest) === 'granted';
  if (admitted) {
    r.variables.spawner_watched = String(its.generation);
  }
  return admitted;
}

/** What leads a visitor with a right token in the URL to the same URL without it, and has the browser keep it. */
export function enterHeaders(r: NginxHTTPRequest): { [name: string]: string | Buffer } {
  const route = readRoute(r.variables.spawner_id as string);
  const token = route && rightTokenInUrl(r, route.tokenDigest);
  return {
    Location: edited(r, 'request_uri', (target) => asLocation(withoutTokens(target))),
    'Referrer-Policy': 'no-referrer',
    // None if it was revoked a moment ago.
    ...(token === undefined ? {} : { 'Set-Cookie': tokenCookie(token, whereOf(r)) }),
  };
}

/** `$spawner_cookies_of_app`: the client's Cookie header without the router's own, byte for byte. */
export function appCookies(r: NginxHTTPRequest): string | Buffer {
  return edited(r, 'http_cookie', withoutTokenCookies);
}

/** Only for a page: what a program sends may be sent twice, and a WebSocket can't be led anywhere. */
function rightTokenInUrl(r: NginxHTTPRequest, digest: string): string | undefined {
  const method = r.variables.request_method;
  const isPage = (method === 'GET' || method === 'HEAD') && r.headersIn.Upgrade === undefined;
  return isPage ? rightOne(tokensOf(r.variables.request_uri || ''), digest) : undefined;
}

function rightOne(tokens: string[], digest: string): string | undefined {
  // A token looks like a digest: 32 bytes in base64url.
  return tokens.filter((token) => isTokenDigest(token) && sameText(digestOf(token), digest))[0];
}

function digestOf(token: string): string {
  return crypto.createHash('sha256').update(token).digest('base64url');
}

function whereOf(r: NginxHTTPRequest): Where {
  const v = r.variables;
  return { mode: v.spawner_mode || '', scheme: v.spawner_scheme || '', prefix: v.spawner_prefix || '' };
}

/** A variable's text, or its bytes where they are no UTF-8, after `edit`, which looks at ASCII only. */
function edited(
  r: NginxHTTPRequest,
  variable: 'request_uri' | 'http_cookie',
  edit: (text: string) => string,
): string | Buffer {
  const text = r.variables[variable] || '';
  if (!isLossy(text)) {
    return edit(text);
  }
  const bytes = r.rawVariables[variable] as unknown as number[];
  return toBuffer(edit(String.fromCharCode.apply(null, bytes)));
}

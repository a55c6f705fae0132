import { revocationKey } from './watch-mark.ts';
import { activityZone } from './zones.ts';

const LOOK_MS = 1500;

/**
 * `$spawner_watching`: sees to it that a request of a session with a token ends soon after the token is revoked,
 * though it may be a WebSocket that nobody looks into. Always ''.
 *
 * nginx says that a variable may not start what goes on ("async operation inside"), takes it for empty, and lets the
 * timer run all the same; the request takes it along when it ends. To end the request, a subrequest in the background
 * is told to close: nginx closes the connection, or the stream of HTTP/2, that it belongs to.
 */
export function watch(r: NginxHTTPRequest): string {
  const zone = activityZone();
  const key = revocationKey(r.variables.spawner_id as string);
  const admitted = Number(r.variables.spawner_watched);
  try {
    zone.add(key, 0);
  } catch (_error) {
    // No room to learn it by: then the request ends at the first look.
  }
  function look(): void {
    const revoked = zone.get(key);
    if (revoked === undefined || revoked > admitted) {
      r.subrequest('/.spawner/cut', { detached: true });
    } else {
      setTimeout(look, LOOK_MS);
    }
  }
  setTimeout(look, LOOK_MS);
  return '';
}

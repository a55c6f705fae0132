import { report } from './log.ts';
import { isRevoked, LOOK_MS, POLL_PATH, revocationKey } from './watch-mark.ts';
import { activityZone } from './zones.ts';

/** About as many looks by timer as take the memory of a poll. */
const FEW_LOOKS = 20;
const MOST_LOOKS = 640;
/** Beside a poll, in case that it hangs. */
const GLANCE_MS = 120000;

/**
 * `$spawner_watching`: sees to it that a request of a session with a token ends soon after the token is revoked,
 * though it may be a WebSocket that nobody looks into. Always ''.
 *
 * nginx says that a variable may not start what goes on ("async operation inside"), takes it for empty, and lets the
 * timer run all the same; the request takes it along when it ends. To end the request, a subrequest in the background
 * is told to close: nginx closes the connection, or the stream of HTTP/2, that it belongs to.
 *
 * Each look takes memory that njs frees only with the request. So one that lasts has the looking done by another
 * request, a poll of this nginx's own admin API (njs/watch-poll.ts), again and again. Where there is none to be had,
 * it goes on by itself, and tries again later and later.
 */
export function watch(r: NginxHTTPRequest): string {
  const zone = activityZone();
  const key = revocationKey(r.variables.spawner_id as string);
  const admitted = Number(r.variables.spawner_watched);
  let looks = FEW_LOOKS;
  let left = looks;
  let began = 0;
  let glances: TimerHandle;
  try {
    zone.add(key, 0);
  } catch (_error) {
    // No room to learn it by: then the request ends at the first look.
  }

  function look(): void {
    if (isRevoked(zone, key, admitted)) {
      cut(r);
    } else if (left > 0) {
      left -= 1;
      setTimeout(look, LOOK_MS);
    } else {
      began = Date.now();
      poll(r, admitted).then(polled, failed);
      glances = setTimeout(glance, GLANCE_MS);
    }
  }

  function glance(): void {
    if (isRevoked(zone, key, admitted)) {
      cut(r);
    } else {
      glances = setTimeout(glance, GLANCE_MS);
    }
  }

  /** What it said does not matter. One that was over so soon was not worth its memory. */
  function polled(): void {
    clearTimeout(glances);
    if (Date.now() - began < FEW_LOOKS * LOOK_MS) {
      lookFor(2 * looks);
    } else {
      looks = FEW_LOOKS;
      look();
    }
  }

  function failed(error: Error): void {
    clearTimeout(glances);
    report(`open WebSockets take ever more memory, for want of the admin API: ${error.message}`, undefined);
    lookFor(2 * looks);
  }

  function lookFor(more: number): void {
    looks = Math.min(more, MOST_LOOKS);
    left = looks;
    look();
  }

  setTimeout(look, LOOK_MS);
  return '';
}

function cut(r: NginxHTTPRequest): void {
  r.subrequest('/.spawner/cut', { detached: true });
}

/** Ends when the token is revoked, or after a while. */
async function poll(r: NginxHTTPRequest, admitted: number): Promise<void> {
  const v = r.variables;
  const reply = await ngx.fetch(`${v.spawner_admin_url}${POLL_PATH}${v.spawner_id}?after=${admitted}`, {
    headers: { Host: 'spawner', Authorization: `Bearer ${v.spawner_admin_token}` },
  });
  if (reply.status !== 200) {
    throw new Error(`the admin API answers ${reply.status}`);
  }
}

import { withShortIds } from './log-text.ts';
import { EVERYTHING, lockZone } from './zones.ts';

/**
 * What the router has to say in nginx's error log. Where sessions are served, nginx itself logs nothing: its lines
 * hold whole request lines, and who knows a session's id may use the session. That silences ngx.log there, too. So
 * lines wait in shared memory until njs/log-write.ts writes them, outside of any request.
 */
export const LINE = 'log: ';
// So that they leave room for the lock, which lives in the same zone.
const MOST_LINES = 20;
const LONGEST = 240;
const OTHERS = `${LINE}more went wrong than is told line by line`;

/** One line in the log, within about a second. What has the same text meanwhile is only counted. */
export function report(text: string, requestId: string | undefined): void {
  const zone = lockZone();
  const start = `${LINE}${withShortIds(text).slice(0, LONGEST)}`;
  const lines = zone.keys(EVERYTHING).filter((key) => key.startsWith(LINE));
  const known = lines.filter((line) => line === start || line.startsWith(`${start} (request `))[0];
  const fresh = requestId === undefined ? start : `${start} (request ${requestId})`;
  zone.incr(known || (lines.length < MOST_LINES ? fresh : OTHERS), 1, 0);
}

/**
 * What `attempt` gives. If it throws, that is reported, and what `otherwise` gives is given: nginx would be silent about
 * it. For all that nginx calls.
 */
export function guarded<T>(name: string, r: NginxHTTPRequest, attempt: () => T, otherwise: () => T): T {
  try {
    return attempt();
  } catch (error) {
    report(`${name} failed: ${(error as Error).message}`, r.variables.request_id);
    return otherwise();
  }
}

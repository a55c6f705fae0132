/** What is known of a router that may be lost: since when, on the clock of `now`, without a break. */
export interface Silence {
  /** It has not even said how it is. */
  silentSince: number | undefined;
  /** Its Pod has not been Ready; undefined also where nobody can tell. */
  unreadySince: number | undefined;
}

/**
 * The longest that a router can lead new requests anywhere after its Pod stopped being Ready, in milliseconds. New
 * connections reach it for some seconds, until all nodes know; and by a connection that is older than a minute it
 * leads nobody (nginx/router-pod.conf).
 */
export const LOST_MS = 5 * 60_000;

/** Whether a router can neither be asked nor lead anybody to a session any more: its node died, say. */
export function isLost({ silentSince, unreadySince }: Silence, now: number): boolean {
  if (silentSince === undefined || unreadySince === undefined) return false;
  return now - Math.max(silentSince, unreadySince) > LOST_MS;
}

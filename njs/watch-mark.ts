import { activityZone } from './zones.ts';

/** How often is looked for it. */
export const LOOK_MS = 1500;

/** Where in the admin API others look for it. */
export const POLL_PATH = '/v1/revoked/';

const START = '~';

/**
 * Where a session's open requests learn that its token was revoked: the generation of the write that did it, or 0.
 * It goes with the route; what is left of an emptied table, njs/activity-read.ts removes.
 */
export function revocationKey(id: string): string {
  return START + id;
}

/** The id in such a key; '' for any other. */
export function idOfRevocationKey(key: string): string {
  return key.startsWith(START) ? key.slice(START.length) : '';
}

/** Shuts out all whose request was let in by a route of an earlier generation. Throws if the zone is full. */
export function markRevoked(id: string, generation: number): void {
  activityZone().set(revocationKey(id), generation);
}

/** For a session whose route is forgotten. */
export function forgetRevocation(id: string): void {
  activityZone().delete(revocationKey(id));
}

/**
 * Whether a request that was let in by a route of the generation `admitted` is shut out by now. Allocates nothing, if
 * its caller keeps the zone.
 */
export function isRevoked(zone: NgxSharedDict<number>, key: string, admitted: number): boolean {
  const revoked = zone.get(key);
  return revoked === undefined || revoked > admitted;
}

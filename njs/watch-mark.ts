import { activityZone } from './zones.ts';

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

import { activityZone } from './zones.ts';

/**
 * Where a session's open requests learn that its token was revoked: the generation of the write that did it, or 0.
 * No route, which takes a session's id, has a key like that.
 */
export function revocationKey(id: string): string {
  return `~${id}`;
}

/** Shuts out all whose request was let in by a route of an earlier generation. Throws if the zone is full. */
export function markRevoked(id: string, generation: number): void {
  activityZone().set(revocationKey(id), generation);
}

/** For a session whose route is forgotten: then it has no requests any more. */
export function forgetRevocation(id: string): void {
  activityZone().delete(revocationKey(id));
}

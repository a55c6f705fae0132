import { activityZone } from './zones.ts';

/** Tells what watches a session's open connections (njs/watch.ts) that those who came by an earlier token are out. */
export function markRevoked(id: string, generation: number): void {
  activityZone().set(`~${id}`, generation);
}

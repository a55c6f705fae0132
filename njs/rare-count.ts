import { countUncounted } from './activity-zone.ts';

/** What a request needs that finds the activity zone full. */
export function rareCount() {
  return { countUncounted };
}

import { isActivityNearlyFull } from './activity.ts';
import { readActivity } from './activity-read.ts';
import type { Batch } from './batch.ts';
import { encodeRoute, type Route, type RouteState } from './route.ts';
import { floorGeneration, isFilled, raiseFloor, raiseHighest, readRoute } from './table.ts';
import { routesZone } from './zones.ts';

/** The ids whose write was too old, and those for which there is no room. All others were applied. */
export interface Outcome {
  stale: string[];
  full: string[];
}

/** Applies a batch. To be called with the table locked, since it compares generations before it writes. */
export function applyBatch(batch: Batch): Outcome {
  const outcome: Outcome = { stale: [], full: [] };
  const generation = batch.generation;
  raiseHighest(generation);
  batch.forget.forEach((id) => {
    if (!forget(id, generation)) {
      outcome.stale.push(id);
    }
  });
  const countable = canCountMore();
  batch.put.forEach((put) => {
    const known = readRoute(put.id);
    if (!isNewer(known, generation)) {
      outcome.stale.push(put.id);
    } else if (known === undefined && (outcome.full.length > 0 || !countable)) {
      // Every new entry takes the same room: where one did not fit, none will.
      outcome.full.push(put.id);
    } else if (!store(put.id, put.state, generation, put.address)) {
      outcome.full.push(put.id);
    }
  });
  batch.delete.forEach((id) => {
    if (!bury(id, generation)) {
      outcome.stale.push(id);
    }
  });
  return outcome;
}

/** Whether requests of new sessions can be counted. Reading the counts drops those of sessions that are over. */
function canCountMore(): boolean {
  if (isActivityNearlyFull()) {
    readActivity(isFilled());
  }
  return !isActivityNearlyFull();
}

/** Equal generations are the same write, repeated. */
function isNewer(known: Route | undefined, generation: number): boolean {
  return known === undefined ? generation > floorGeneration() : generation >= known.generation;
}

/** Writes a tombstone: a late, older write must find something newer. */
function bury(id: string, generation: number): boolean {
  const known = readRoute(id);
  if (known !== undefined && known.generation > generation) {
    return false;
  }
  const guarded = known === undefined && generation <= floorGeneration();
  if (!guarded && !store(id, 'gone', generation, '')) {
    raiseFloor(generation); // No room to remember this one id, so all that are absent are guarded instead.
  }
  return true;
}

/** Removes a tombstone; from then on the floor guards against late writes. */
function forget(id: string, generation: number): boolean {
  const known = readRoute(id);
  if (known === undefined) {
    return true;
  }
  if (known.state !== 'gone' || known.generation > generation) {
    return false;
  }
  raiseFloor(known.generation);
  routesZone().delete(id);
  return true;
}

/** False if the zone is full. Then what stood there before still stands. */
function store(id: string, state: RouteState, generation: number, address: string): boolean {
  try {
    routesZone().set(id, encodeRoute({ state, generation, address, tokenDigest: '' }));
    return true;
  } catch (error) {
    if ((error as Error).name !== 'SharedMemoryError') {
      throw error;
    }
    return false;
  }
}

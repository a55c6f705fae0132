import { readActivity } from './activity-read.ts';
import { isActivityNearlyFull } from './activity-zone.ts';
import { isAllowed, type Ranges } from './backends.ts';
import type { Batch, Put } from './batch.ts';
import { type Pool, placeOf } from './pool.ts';
import { encodeGeneration, encodeRoute, type Route, type Target } from './route.ts';
import { floorGeneration, isFilled, raiseFloor, raiseHighest, readRoute } from './table.ts';
import { forgetRevocation, markRevoked } from './watch-mark.ts';
import { routesZone } from './zones.ts';

/** What was not applied: all else was. */
export interface Outcome {
  /** Ids whose write was too old. */
  stale: string[];
  /** Ids for which there is no room. */
  full: string[];
  /** Ids whose address is not among the allowed backends. */
  refused: string[];
}

/** What the operator set of a router. */
export interface Limits {
  /** Where routes may lead. */
  backends: Ranges;
  pool: Pool | undefined;
}

/**
 * Applies a batch. To be called with the table locked, since it compares
 * generations before it writes.
 */
export function applyBatch(batch: Batch, limits: Limits): Outcome {
  const pool = limits.pool;
  const outcome: Outcome = { stale: [], full: [], refused: [] };
  const generation = batch.generation;
  raiseHighest(generation);
  batch.forget.forEach((id) => {
    if (!forget(id, generation)) {
      outcome.stale.push(id);
    }
  });
  const countable = canCountMore();
  // Forgetting raises it, and nothing below does before tombstones are written.
  const floor = floorGeneration();
  const generationText = encodeGeneration(generation);
  const zone = routesZone();
  for (let i = 0; i < batch.put.length; i += 1) {
    const put = batch.put[i] as Put;
    const allowed = put.address === '' || isAllowed(put.backend, limits.backends);
    const route = encodeRoute(put, generationText, placeOf(pool, put.id, put.address, portOf(put)));
    // Most of a large table is absent, and then this is all. What is there already is compared with first.
    if (allowed && countable && generation > floor && outcome.full.length === 0 && add(zone, put.id, route)) {
      continue;
    }
    const known = readRoute(put.id);
    if (!isNewer(known, generation, floor)) {
      outcome.stale.push(put.id);
    } else if (!allowed) {
      outcome.refused.push(put.id);
    } else if (known === undefined && (outcome.full.length > 0 || !countable)) {
      // Where one new entry did not fit, the next would hardly do.
      outcome.full.push(put.id);
    } else if (!revoke(put.id, known, put.tokenDigest, generation) || !store(put.id, route)) {
      outcome.full.push(put.id);
    }
  }
  batch.delete.forEach((id) => {
    if (!bury(id, generation, pool)) {
      outcome.stale.push(id);
    }
  });
  return outcome;
}

function portOf(put: Put): number {
  return put.backend === undefined ? 0 : put.backend.port;
}

/** Whether requests of new sessions can be counted. Reading the counts drops those of sessions that are over. */
function canCountMore(): boolean {
  if (isActivityNearlyFull()) {
    readActivity(isFilled());
  }
  return !isActivityNearlyFull();
}

/** Equal generations are the same write, repeated. */
function isNewer(known: Route | undefined, generation: number, floor: number): boolean {
  return known === undefined ? generation > floor : generation >= known.generation;
}

/** Writes a tombstone: a late, older write must find something newer. */
function bury(id: string, generation: number, pool: Pool | undefined): boolean {
  const known = readRoute(id);
  if (known !== undefined && known.generation > generation) {
    return false;
  }
  const guarded = known === undefined && generation <= floorGeneration();
  revoke(id, known, '', generation);
  const gone: Target = {
    state: 'gone',
    address: '',
    tokenDigest: known === undefined ? '' : known.tokenDigest,
  };
  const route = encodeRoute(gone, encodeGeneration(generation), placeOf(pool, id, '', 0));
  if (!guarded && !store(id, route)) {
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
  forgetRevocation(id);
  return true;
}

/**
 * Shuts out those who came by a token that is none any more, if the write changes the token. Before the write: if
 * there is no room to tell them, the old token must stay right.
 */
function revoke(id: string, known: Route | undefined, tokenDigest: string, generation: number): boolean {
  const changes = known !== undefined && known.tokenDigest !== '' && known.tokenDigest !== tokenDigest;
  if (!changes) {
    return true;
  }
  try {
    markRevoked(id, generation);
    return true;
  } catch (error) {
    return orFull(error);
  }
}

/** False if the table holds the id already, or the zone is full. */
function add(zone: NgxSharedDict<string>, id: string, route: string): boolean {
  try {
    return zone.add(id, route);
  } catch (error) {
    return orFull(error);
  }
}

/** False if the zone is full. Then what stood there before still stands. */
function store(id: string, route: string): boolean {
  try {
    routesZone().set(id, route);
    return true;
  } catch (error) {
    return orFull(error);
  }
}

/** False, for a zone that has no room; throws what else went wrong. */
function orFull(error: unknown): false {
  if ((error as Error).name !== 'SharedMemoryError') {
    throw error;
  }
  return false;
}

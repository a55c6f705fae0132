import { parseRanges } from './backends.ts';
import { type Batch, countEntries, MAX_ENTRIES, parseBatch } from './batch.ts';
import { report } from './log.ts';
import { parsePool } from './pool.ts';
import { badRequest, fail, ok, type Reply } from './reply.ts';
import type { Route } from './route.ts';
import { bootId, highestGeneration, isFilled, readRoute, readTable } from './table.ts';
import { applyBatch, type Limits } from './write.ts';

/** The admin API's calls on routes. `id` is a session id, `body` parsed JSON that nobody has checked yet. */

/** As nginx.conf has them: `$spawner_allowed_backends` and `$spawner_pool`. */
export interface Settings {
  backends: string;
  pool: string;
}

export function getRoutes(settings: Settings): Reply {
  const table = readTable();
  const routes: { [id: string]: (string | number)[] } = {};
  Object.keys(table).forEach((id) => {
    const route = table[id] as Route;
    const digest = route.tokenDigest === '' ? [] : [route.tokenDigest];
    routes[id] = [route.state, route.generation, route.address].concat(digest);
  });
  return ok({ bootId: bootId(settings.pool), filled: isFilled(), generation: highestGeneration(), routes });
}

export function postRoutes(body: unknown, settings: Settings): Reply {
  const batch = parseBatch(body);
  if (typeof batch === 'string') {
    return badRequest(batch);
  }
  if (countEntries(batch) > MAX_ENTRIES) {
    return fail(413, 'too_large', `a batch has at most ${MAX_ENTRIES} entries`);
  }
  return write(batch, settings);
}

export function getRoute(id: string): Reply {
  const route = readRoute(id);
  if (route === undefined) {
    return fail(404, 'unknown_route', 'the table holds no such route');
  }
  const digest = route.tokenDigest === '' ? {} : { tokenDigest: route.tokenDigest };
  return ok({ state: route.state, generation: route.generation, address: route.address, ...digest });
}

/** `body` is `{"generation","state","address","tokenDigest"}`: read as a batch of one, so that there is one grammar. */
export function putRoute(id: string, body: unknown, settings: Settings): Reply {
  const route: { [field: string]: unknown } = Object.assign({}, body);
  const generation = route.generation;
  delete route.generation;
  const put: { [id: string]: unknown } = {};
  put[id] = route;
  return writeOne({ generation, put }, settings);
}

export function deleteRoute(id: string, generation: string | undefined, settings: Settings): Reply {
  return writeOne({ generation: Number(generation), delete: [id] }, settings);
}

function writeOne(value: unknown, settings: Settings): Reply {
  const batch = parseBatch(value);
  if (typeof batch === 'string') {
    return badRequest(batch);
  }
  const reply = write(batch, settings);
  if ((reply.body.refused as string[]).length > 0) {
    return fail(422, 'backend_refused', 'the address is not among the backends that this router allows');
  }
  return (reply.body.stale as string[]).length > 0
    ? fail(409, 'stale_generation', 'the table holds a newer generation')
    : reply;
}

function write(batch: Batch, settings: Settings): Reply {
  const id = bootId(settings.pool);
  const outcome = applyBatch(batch, limitsOf(settings, batch));
  const body = { bootId: id, ...outcome };
  if (outcome.full.length === 0) {
    return ok(body);
  }
  const message = `no room for ${outcome.full.length} routes: enlarge spawner_routes or spawner_activity`;
  return { status: 507, body, error: { code: 'router_full', message } };
}

/** A setting that can't be read allows nothing. */
function limitsOf(settings: Settings, batch: Batch): Limits {
  const pool = parsePool(settings.pool);
  const ranges = parseRanges(settings.backends);
  if (typeof ranges !== 'string') {
    return { backends: ranges, pool };
  }
  if (batch.put.some((put) => put.address !== '')) {
    report(`no route is taken: $spawner_allowed_backends: ${ranges}`, undefined);
  }
  return { backends: { allowed: [], leftOut: [] }, pool };
}

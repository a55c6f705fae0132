import { type Batch, countEntries, MAX_ENTRIES, parseBatch } from './batch.ts';
import { badRequest, fail, ok, type Reply } from './reply.ts';
import { bootId, highestGeneration, isFilled, readRoute, readTable } from './table.ts';
import { applyBatch } from './write.ts';

/** The admin API's calls on routes. `id` is a session id, `body` parsed JSON that nobody has checked yet. */

export function getRoutes(): Reply {
  const table = readTable();
  const routes: { [id: string]: [string, number, string] } = {};
  Object.keys(table).forEach((id) => {
    const route = table[id];
    if (route !== undefined) {
      routes[id] = [route.state, route.generation, route.address];
    }
  });
  return ok({ bootId: bootId(), filled: isFilled(), generation: highestGeneration(), routes });
}

export function postRoutes(body: unknown): Reply {
  const batch = parseBatch(body);
  if (typeof batch === 'string') {
    return badRequest(batch);
  }
  if (countEntries(batch) > MAX_ENTRIES) {
    return fail(413, 'too_large', `a batch has at most ${MAX_ENTRIES} entries`);
  }
  return write(batch);
}

export function getRoute(id: string): Reply {
  const route = readRoute(id);
  return route === undefined
    ? fail(404, 'unknown_route', 'the table holds no such route')
    : ok({ state: route.state, generation: route.generation, address: route.address });
}

/** `body` is `{"generation","state","address"}`: read as a batch of one, so that there is one grammar. */
export function putRoute(id: string, body: unknown): Reply {
  const route: { [field: string]: unknown } = Object.assign({}, body);
  const generation = route.generation;
  delete route.generation;
  const put: { [id: string]: unknown } = {};
  put[id] = route;
  return writeOne({ generation, put });
}

export function deleteRoute(id: string, generation: string | undefined): Reply {
  return writeOne({ generation: Number(generation), delete: [id] });
}

function writeOne(value: unknown): Reply {
  const batch = parseBatch(value);
  if (typeof batch === 'string') {
    return badRequest(batch);
  }
  const reply = write(batch);
  return (reply.body.stale as string[]).length > 0
    ? fail(409, 'stale_generation', 'the table holds a newer generation')
    : reply;
}

function write(batch: Batch): Reply {
  const id = bootId();
  const outcome = applyBatch(batch);
  const body = { bootId: id, stale: outcome.stale, full: outcome.full };
  if (outcome.full.length === 0) {
    return ok(body);
  }
  const message = `no room for ${outcome.full.length} new routes: enlarge spawner_routes or spawner_activity`;
  return { status: 507, body, error: { code: 'router_full', message } };
}

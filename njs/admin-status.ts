import { readActivity } from './activity-read.ts';
import { uncounted } from './activity-zone.ts';
import { parseRanges } from './backends.ts';
import { badRequest, fail, ok, type Reply } from './reply.ts';
import { bootId, highestGeneration, isFilled, markFilled } from './table.ts';
import { activityZone, routesZone } from './zones.ts';

/** Cheap whatever the table holds: the daemon asks often. `mode`: `path`, `path-kept` or `host`; `pool`: njs/pool.ts. */
export function getHealth(mode: string, pool: string): Reply {
  return ok({
    bootId: bootId(pool),
    mode,
    filled: isFilled(),
    generation: highestGeneration(),
    zones: { routes: roomOf(routesZone()), activity: roomOf(activityZone()) },
    njs: njs.version,
    engine: engineName(),
  });
}

/** That nginx answers. */
export function getHealthz(): Reply {
  return ok({ status: 'ok' });
}

/** Whether the daemon has filled the table: before, every session would be answered 503. */
export function getReadyz(backends: string): Reply {
  const ranges = parseRanges(backends);
  if (typeof ranges === 'string') {
    return fail(503, 'bad_setting', `no route is taken: $spawner_allowed_backends: ${ranges}`);
  }
  return isFilled()
    ? ok({ status: 'ready' })
    : fail(503, 'router_not_filled', 'the daemon has not filled the table yet');
}

export function getActivity(pool: string): Reply {
  return ok({ bootId: bootId(pool), uncounted: uncounted(), sessions: readActivity(isFilled()) });
}

/** The daemon says which table it filled: a router that restarted meanwhile is not. */
export function postFilled(body: unknown, pool: string): Reply {
  const claimed = (Object.assign({}, body) as { [field: string]: unknown }).bootId;
  if (typeof claimed !== 'string') {
    return badRequest('the body must be {"bootId": "…"}');
  }
  const current = bootId(pool);
  if (claimed !== current) {
    return fail(409, 'wrong_boot', 'the table is not the one that was filled: read it anew');
  }
  markFilled();
  return ok({ bootId: current });
}

function roomOf(zone: { capacity: number; freeSpace(): number }): { bytes: number; freeBytes: number } {
  return { bytes: zone.capacity, freeBytes: zone.freeSpace() };
}

/** `njs.engine` is younger than the oldest njs this runs on, and only the native engine lacks it. */
function engineName(): string {
  return (njs as unknown as { engine?: string }).engine || 'njs';
}

/** The router with more and more routes, and with more and more backends, as the static proxy, too. */
import type { Context } from '../suite.ts';
import { defaultPorts } from './comparison.ts';
import type { Series } from './figures.ts';
import { interleaved } from './interleaved.ts';
import { SMALL_GET } from './names.ts';
import type { Peer } from './peers/peer.ts';
import { router } from './peers/router.ts';
import { staticProxy } from './peers/static.ts';
import { freeBlock } from './program.ts';
import { onStage, type Role } from './stage.ts';
import { portsFrom, sessionAt, sessionsAt } from './visited.ts';
import { visiting } from './works.ts';

export const ROUTES = [1, 1000, 100_000];
export const BACKENDS = [1, 64, 1000];
/** What 100,000 routes need. */
const ZONE_SIZE = '64m';
const MILLISECONDS = 1500;

/** At one backend. Visits one of them, as if it were alone in the table, or all of them at random. */
export async function measureRoutes(context: Context): Promise<Series[]> {
  const ports = defaultPorts();
  const port = await freeBlock(1, ports.first, ports.last);
  return measureWorlds(
    ROUTES.flatMap((count) => {
      const world = { http: sessionsAt([port], count), webSockets: [], ports };
      const all = { peer: pooled(), world, title: routesWork(count) };
      return count === 1
        ? [all]
        : [{ ...all, visited: world.http.slice(0, 1), title: idleRoutesWork(count) }, all];
    }),
    context,
  );
}

/** A session at each; the pool has no others. */
export async function measureBackends(context: Context): Promise<Series[]> {
  const { first, last } = defaultPorts();
  const start = await freeBlock(Math.max(...BACKENDS), first, last);
  const worlds = BACKENDS.map((count) => ({
    http: portsFrom(start, count).map(sessionAt),
    webSockets: [],
    ports: { first: start, last: start + count - 1 },
  }));
  return measureWorlds(
    worlds.flatMap((world) => {
      const title = backendsWork(world.http.length);
      return [pooled(), staticProxy('static', 'current')].map((peer) => ({ peer, world, title }));
    }),
    context,
  );
}

export function routesWork(count: number): string {
  return `${SMALL_GET}, ${count === 1 ? '1 route' : `all of ${count.toLocaleString('en')} routes visited`}`;
}

/** One of the routes is visited, the others are just there. */
export function idleRoutesWork(count: number): string {
  return `${SMALL_GET}, one of ${count.toLocaleString('en')} routes visited`;
}

export function backendsWork(count: number): string {
  return `${SMALL_GET}, ${count.toLocaleString('en')} ${count === 1 ? 'backend' : 'backends'}`;
}

function pooled(): Peer {
  return router({ name: 'pooled', says: 'pooled', line: 'current', zoneSize: ZONE_SIZE });
}

/** A proxy for each. */
async function measureWorlds(scenes: (Role & { title: string })[], context: Context): Promise<Series[]> {
  return onStage(scenes, context, (actors) => {
    const milliseconds = context.quick ? MILLISECONDS / 5 : MILLISECONDS;
    const cases = actors.map(({ peer, proxy, visitors }, index) => ({
      work: scenes[index]?.title ?? '',
      subject: peer.title,
      measure: () => visiting('')(proxy, { ...visitors, milliseconds, abort: context.abort }),
    }));
    return interleaved(cases, context);
  });
}

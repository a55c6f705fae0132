/** The router with more and more routes, and in a pool of more and more backends. */
import type { Context } from '../suite.ts';
import { defaultPorts } from './comparison.ts';
import type { Series } from './figures.ts';
import { interleaved } from './interleaved.ts';
import { SMALL_GET } from './names.ts';
import type { World } from './peers/peer.ts';
import { router } from './peers/router.ts';
import { freeBlock } from './program.ts';
import { onStage } from './stage.ts';
import { portsFrom, sessionAt, sessionsAt } from './visited.ts';
import { visiting } from './works.ts';

export const ROUTES = [1, 1000, 100_000];
export const BACKENDS = [1, 64, 1000];
/** What 100,000 routes need. */
const ZONE_SIZE = '64m';
const MILLISECONDS = 1500;

/** Visits all of them at random, at one backend. */
export async function measureRoutes(context: Context): Promise<Series[]> {
  const ports = defaultPorts();
  const port = await freeBlock(1, ports.first, ports.last);
  const worlds = ROUTES.map((count) => ({ http: sessionsAt([port], count), webSockets: [], ports }));
  return measureWorlds(
    worlds,
    worlds.map(({ http }) => routesWork(http.length)),
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
  return measureWorlds(worlds, BACKENDS.map(backendsWork), context);
}

export function routesWork(count: number): string {
  return `${SMALL_GET}, ${count.toLocaleString('en')} ${count === 1 ? 'route' : 'routes'}`;
}

export function backendsWork(count: number): string {
  return `${SMALL_GET}, ${count.toLocaleString('en')} ${count === 1 ? 'backend' : 'backends'}`;
}

/** A router for each world. */
async function measureWorlds(worlds: World[], titles: string[], context: Context): Promise<Series[]> {
  const peer = router({ name: 'pooled', says: 'pooled', line: 'current', zoneSize: ZONE_SIZE });
  const roles = worlds.map((world) => ({ peer, world }));
  return onStage(roles, context, (actors) => {
    const milliseconds = context.quick ? MILLISECONDS / 5 : MILLISECONDS;
    const cases = actors.map(({ proxy, visitors }, index) => ({
      work: titles[index] ?? '',
      subject: peer.title,
      measure: () => visiting('')(proxy, { ...visitors, milliseconds, abort: context.abort }),
    }));
    return interleaved(cases, context);
  });
}

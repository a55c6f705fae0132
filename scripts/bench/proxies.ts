/** The suite `proxies`: what a request costs each of them. */
import { join } from 'node:path';
import { ROUTER_DEFAULTS } from '../router-settings.ts';
import { rowOf, type Series } from './figures.ts';
import { interleaved } from './interleaved.ts';
import { writeIds } from './load/wrk.ts';
import { PEER_NAMES, peersHere } from './peers/all.ts';
import type { Peer } from './peers/peer.ts';
import { freeBlock } from './program.ts';
import { onStage } from './stage.ts';
import type { Context, Suite } from './suite.ts';
import { portsFrom, sessionAt } from './visited.ts';
import { WORKS, type Work } from './works.ts';

const BACKENDS = 64;

/** Which works and subjects are measured; unset: all. */
export interface Filter {
  works?: string[] | undefined;
  subjects?: string[] | undefined;
}

export function proxies(filter: Filter): Suite {
  return {
    name: 'proxies',
    about: 'CPU per request of the router, of other proxies, and of a static one',
    async run(context) {
      const works = WORKS.filter(({ name }) => filter.works?.includes(name) ?? true);
      const names = PEER_NAMES.filter((name) => filter.subjects?.includes(name) ?? true);
      const peers = await peersHere(names, context.abort, context.say);
      const series = await measureSessions(works, peers, context);
      return { rows: series.map(rowOf), goals: [] };
    },
  };
}

/** Sessions with a backend each, all in a pool as wide as `npm start` makes it. */
async function measureSessions(works: Work[], peers: Peer[], context: Context): Promise<Series[]> {
  const [, first, last] = /:(\d+)-(\d+)$/.exec(ROUTER_DEFAULTS.backends[0] ?? '') ?? [];
  const ports = { first: Number(first), last: Number(last) };
  const http = portsFrom(await freeBlock(BACKENDS, ports.first, ports.last), BACKENDS).map(sessionAt);
  return onStage({ http, webSockets: [], ports }, peers, context, async (actors, directory) => {
    const idsFile = join(directory, 'ids');
    await writeIds(idsFile, http);
    const series: Series[] = [];
    for (const { title, measure } of works) {
      const cases = actors.map(({ subject, proxy }) => ({
        work: title,
        subject,
        measure: () => measure(proxy, { idsFile, ...context }),
      }));
      series.push(...(await interleaved(cases, context)));
    }
    return series;
  });
}

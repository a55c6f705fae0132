/** The proxies against each other: a world of sessions that all of them serve. */
import { ROUTER_DEFAULTS } from '../../router-settings.ts';
import type { Context } from '../suite.ts';
import type { Series } from './figures.ts';
import { type Case, interleaved } from './interleaved.ts';
import { SMALL_GET } from './names.ts';
import type { Peer, World } from './peers/peer.ts';
import { freeBlock } from './program.ts';
import { type Actor, onStage } from './stage.ts';
import { portsFrom, sessionAt } from './visited.ts';
import { echoing, type Measure, opening, paced, visiting, visitingWhileRoutesChange } from './works.ts';

const BACKENDS = 64;
const WEB_SOCKET_BACKENDS = 4;
const CHANGES_PER_SECOND = 1000;
const MESSAGES_PER_SECOND = 2000;

/** By the name on the command line. */
export const COMPARISONS = {
  'small-get': SMALL_GET,
  'get-10k': 'GET of 10 KB',
  'get-1m': 'GET of 1 MB',
  'upload-1m': 'upload of 1 MB',
  churn: `${SMALL_GET} while ${CHANGES_PER_SECOND.toLocaleString('en')} routes change a second`,
  latency: `${SMALL_GET} at half load`,
  'websocket-echo': 'WebSocket echo',
  'websocket-open': 'WebSocket opened and closed',
  'websocket-latency': `WebSocket echo at ${MESSAGES_PER_SECOND.toLocaleString('en')} messages/s`,
};

type WorkName = keyof typeof COMPARISONS;

interface Work {
  milliseconds: number;
  measure: Measure;
  /** Whom it is for, if not for all. */
  suits?: (actor: Actor) => boolean;
}

/** Who has to show how much latency it adds. The others are slower than half of what these can do. */
const QUICK_ONES = ['static', 'pooled', 'haproxy', 'lua'];

export async function compareProxies(names: string[], peers: Peer[], context: Context): Promise<Series[]> {
  const world = await makeWorld();
  const roles = peers.map((peer) => ({ peer, world }));
  return onStage(roles, context, async (actors) => {
    const series: Series[] = [];
    for (const name of Object.keys(COMPARISONS) as WorkName[]) {
      if (!names.includes(name)) continue;
      const work = await workOf(name, actors, context);
      series.push(...(await interleaved(casesOf(COMPARISONS[name], work, actors, context), context)));
    }
    return series;
  });
}

/** Each session has a backend of its own, in a pool as wide as the router's default makes it. */
async function makeWorld(): Promise<World> {
  const ports = defaultPorts();
  const block = portsFrom(
    await freeBlock(BACKENDS + WEB_SOCKET_BACKENDS, ports.first, ports.last),
    BACKENDS + WEB_SOCKET_BACKENDS,
  );
  const sessions = block.map(sessionAt);
  return { http: sessions.slice(0, BACKENDS), webSockets: sessions.slice(BACKENDS), ports };
}

/** Where backends may be by default: `127.0.0.1:20000-29999`. */
export function defaultPorts(): World['ports'] {
  const [, first, last] = /:(\d+)-(\d+)$/.exec(ROUTER_DEFAULTS.backends[0] ?? '') ?? [];
  return { first: Number(first), last: Number(last) };
}

async function workOf(name: WorkName, actors: Actor[], context: Context): Promise<Work> {
  switch (name) {
    case 'small-get':
      return { milliseconds: 1500, measure: visiting('') };
    case 'get-10k':
      return { milliseconds: 800, measure: visiting('10k') };
    case 'get-1m':
      return { milliseconds: 800, measure: visiting('1m') };
    case 'upload-1m':
      return { milliseconds: 800, measure: visiting('upload', 1024 * 1024) };
    case 'churn':
      return {
        milliseconds: 1500,
        measure: visitingWhileRoutesChange(CHANGES_PER_SECOND),
        suits: ({ proxy }) => proxy.admin !== undefined,
      };
    case 'latency': {
      const suits = ({ peer }: Actor) => QUICK_ONES.includes(peer.name);
      const rate = await halfLoad(actors.filter(suits), context);
      return { milliseconds: 2000, measure: paced('http', rate), suits };
    }
    case 'websocket-echo':
      return { milliseconds: 1000, measure: echoing };
    case 'websocket-open':
      return { milliseconds: 1000, measure: opening };
    case 'websocket-latency':
      return { milliseconds: 1000, measure: paced('webSocket', MESSAGES_PER_SECOND) };
  }
}

function casesOf(title: string, work: Work, actors: Actor[], { quick, abort }: Context): Case[] {
  const milliseconds = quick ? work.milliseconds / 5 : work.milliseconds;
  return actors
    .filter((actor) => work.suits?.(actor) ?? true)
    .map(({ peer, proxy, visitors }) => ({
      work: title,
      subject: peer.title,
      measure: () => work.measure(proxy, { ...visitors, milliseconds, abort }),
    }));
}

/** Half of what the slowest of them can do, in requests/s. */
async function halfLoad(actors: Actor[], { abort, say }: Context): Promise<number> {
  const throughputs: number[] = [];
  for (const { proxy, visitors } of actors) {
    const sample = await visiting('')(proxy, { ...visitors, milliseconds: 500, abort });
    throughputs.push(sample.throughput?.value ?? Number.NaN);
  }
  const rate = Math.round(Math.min(...throughputs) / 2);
  say(`half load is ${rate.toLocaleString('en')} requests/s`);
  return rate;
}

import { chp } from './chp.ts';
import { haproxy } from './haproxy.ts';
import { lua } from './lua.ts';
import type { Peer } from './peer.ts';
import { network, router } from './router.ts';
import { staticProxy } from './static.ts';

type Say = (line: string) => void;

/** By the name on the command line. What is no part of this project may have to be brought here first. */
const PEERS: { [name: string]: (abort: AbortSignal) => Peer | Promise<Peer> } = {
  static: () => staticProxy('static', 'current'),
  pooled: () => router({ name: 'pooled', says: 'pooled', line: 'current' }),
  'pooled-qjs': () => router({ name: 'pooled-qjs', says: 'pooled, qjs', line: 'current', engine: 'qjs' }),
  direct: () => router({ name: 'direct', says: 'direct', line: 'current', backends: network }),
  'static-stable': () => staticProxy('static-stable', 'stable'),
  'direct-stable': () => router({ name: 'direct-stable', says: 'direct', line: 'stable' }),
  haproxy,
  lua,
  chp,
};

export const PEER_NAMES = Object.keys(PEERS);

/** Those that can be had here; of the others it says why not. */
export async function peersHere(names: string[], abort: AbortSignal, say: Say): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const name of names) {
    try {
      const peer = await PEERS[name]?.(abort);
      if (peer) peers.push(peer);
    } catch (error) {
      abort.throwIfAborted();
      say(`without ${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return peers;
}

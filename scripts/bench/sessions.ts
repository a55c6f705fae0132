import { SHARDS, shardOfPort, shardOfSession } from '../../njs/shard.ts';

/** How many ports in a row have one of each shard. */
export const SHARD_PORTS = SHARDS.length;

/** The id of the `index`-th session, the same each time. Neighbours are of different shards. */
export function sessionId(index: number): string {
  return index.toString(36).split('').reverse().join('').padEnd(26, '0');
}

/** Where the daemon would have the session listen on 127.0.0.1: the first port from `first` on that is of its shard. */
export function addressOf(id: string, first: number): string {
  let port = first;
  while (shardOfPort(port) !== shardOfSession(id)) port += 1;
  return `127.0.0.1:${port}`;
}

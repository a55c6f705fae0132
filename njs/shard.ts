/**
 * The pool's shards: upstream blocks of nginx, one for each character that a session id can begin with. nginx looks
 * for a peer among all of its block, so blocks are kept small. The daemon gives a session a backend of its shard where
 * it can; others are reached without the pool.
 */
export const SHARDS = '0123456789abcdefghijklmnopqrstuvwxyz';

export function shardOfSession(id: string): string {
  return id.charAt(0);
}

/** The shard of a local process that listens on `port`. */
export function shardOfPort(port: number): string {
  return SHARDS.charAt(port % SHARDS.length);
}

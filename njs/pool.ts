import { md5 } from './md5.ts';
import type { PoolPlace, Way } from './route.ts';
import { shardOfPort, shardOfSession } from './shard.ts';

/**
 * How this router keeps connections to backends, in the words of `$spawner_pool`:
 * - ``: not at all; its nginx can't;
 * - `ports 127.0.0.1:20000-20999`: the peers are these ports, sharded by number;
 * - `dns 8080`: the peers are what DNS says of each shard's Service, at this port; it learns late of new ones.
 */
export type Pool = (id: string, address: string, port: number) => Way;

/** The setting's meaning; undefined for a router that keeps no connections. */
export function parsePool(setting: string): Pool | undefined {
  const blank = setting.indexOf(' ');
  const kind = setting.slice(0, blank);
  const rest = setting.slice(blank + 1);
  if (kind === 'ports') {
    const colon = rest.lastIndexOf(':');
    const host = rest.slice(0, colon + 1);
    const ends = rest
      .slice(colon + 1)
      .split('-')
      .map(Number);
    const first = ends[0] as number;
    const last = ends[1] as number;
    return (id, address, port) =>
      port >= first && port <= last && address.startsWith(host) && shardOfPort(port) === shardOfSession(id)
        ? 'pooled'
        : 'direct';
  }
  return kind === 'dns' ? (_id, _address, port) => (port === Number(rest) ? 'untried' : 'direct') : undefined;
}

/**
 * Where a router with this pool finds a session's backend; undefined without a pool. nginx knows a peer by the MD5 of
 * its printed address (ngx_http_upstream_init_round_robin_sid).
 * @param port of the address; 0 without one
 */
export function placeOf(
  pool: Pool | undefined,
  id: string,
  address: string,
  port: number,
): PoolPlace | undefined {
  if (pool === undefined) {
    return undefined;
  }
  const way = pool(id, address, port);
  return { way, sid: way === 'direct' ? '' : md5(address) };
}

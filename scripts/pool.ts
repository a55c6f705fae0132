/** How a router keeps its connections to backends: njs/pool.ts. */
import { SHARDS, shardOfPort } from '../njs/shard.ts';
import { isAtLeast } from './nginx-version.ts';
import type { DnsPool, RouterSettings } from './router-settings.ts';

export type Pool =
  | { kind: 'ports'; address: string; first: number; last: number }
  | ({ kind: 'dns' } & DnsPool);

/** From here on nginx can be told which peer of an upstream block to use. */
const oldestNginx = '1.29.6';

type Settings = Pick<RouterSettings, 'nginxVersion' | 'backends' | 'dnsPool'>;

/** Undefined if this nginx can't, or if no backends are the ports of one address: the first such range is it. */
export function poolOf(settings: Settings): Pool | undefined {
  if (!isAtLeast(settings.nginxVersion, oldestNginx)) return undefined;
  if (settings.dnsPool) return { kind: 'dns', ...settings.dnsPool };
  for (const range of settings.backends) {
    const [, address, first, last] = /^([\d.]+|\[[\da-f:]+\]):(\d+)-(\d+)$/.exec(range) ?? [];
    if (address) return { kind: 'ports', address, first: Number(first), last: Number(last) };
  }
  return undefined;
}

/** For people: whether connections to sessions are kept, and if not, why. */
export function describePool(settings: Settings): string {
  if (poolOf(settings)) return 'keeps its connections to sessions';
  const why = isAtLeast(settings.nginxVersion, oldestNginx)
    ? 'no backends are a range of ports of one address'
    : `nginx ${settings.nginxVersion} is older than ${oldestNginx}`;
  return `opens a connection to the session for each request: ${why}`;
}

/** The value of `$spawner_pool`. */
export function poolSetting(pool: Pool | undefined): string {
  if (pool === undefined) return '';
  return pool.kind === 'dns' ? `dns ${pool.port}` : `ports ${pool.address}:${pool.first}-${pool.last}`;
}

/** The `server` lines of each shard's upstream block; a narrow range has no port for some. */
export function peersOf(pool: Pool): { shard: string; peers: string[] }[] {
  return [...SHARDS]
    .map((shard) => ({ shard, peers: addressesOf(pool, shard).map((peer) => `server ${peer};`) }))
    .filter(({ peers }) => peers.length > 0);
}

/** nginx takes less than a kilobyte for a peer. What Pods there will be nobody knows. */
export function zoneSizeOf(pool: Pool): string {
  return pool.kind === 'dns' ? '32m' : `${256 + pool.last - pool.first}k`;
}

function addressesOf(pool: Pool, shard: string): string[] {
  if (pool.kind === 'dns')
    return [`${pool.service.replace('{shard}', shard)}:${pool.port} resolve drain max_fails=0`];
  const ports = Array.from({ length: pool.last - pool.first + 1 }, (_, index) => pool.first + index);
  return ports
    .filter((port) => shardOfPort(port) === shard)
    .map((port) => `${pool.address}:${port} drain max_fails=0`);
}

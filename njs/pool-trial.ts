import { ifTableFree } from './lock.ts';
import { asTried, isUntried, readyAddress } from './route.ts';
import { routesZone } from './zones.ts';

/**
 * Whether nginx knows a backend that it learns of by DNS, it says only when asked for it: without one it answers 502,
 * and names as `$upstream_addr` the upstream block instead of an address. The route remembers what came of it.
 */

/** After a request that was sent to the pool: if it found its backend, others need not ask themselves. */
export function confirm(r: NginxHTTPRequest): void {
  remember(r.variables.spawner_id as string, (route, address) =>
    isUntried(route) && r.variables.upstream_addr === address ? asTried(route, true) : route,
  );
}

/**
 * The address to go to instead, after nginx answered 502: '' if that is the backend's own failure. What a backend may
 * have seen is never sent again.
 */
export function forget(r: NginxHTTPRequest): string {
  const tried = r.variables.upstream_addr || '';
  if (tried.indexOf(':') >= 0) {
    return '';
  }
  const id = r.variables.spawner_id as string;
  remember(id, (route) => (isUntried(route) ? route : asTried(route, false)));
  return readyAddress(routesZone().get(id) || '');
}

/** If somebody else is writing just now, the next request does it. */
function remember(id: string, change: (route: string, address: string) => string): void {
  ifTableFree(() => {
    const route = routesZone().get(id) || '';
    const address = readyAddress(route);
    const changed = address === '' ? route : change(route, address);
    if (changed !== route) {
      routesZone().set(id, changed);
    }
  });
}

import type { Route } from '../../njs/route.ts';
import type { RouteBatch } from './router-client.ts';

/** Where a session's visitors go, and whom routers let in. */
export type Wish = Pick<Route, 'state' | 'address' | 'tokenDigest'>;

/** Nobody goes anywhere. */
export const GONE: Wish = { state: 'gone', address: '', tokenDigest: '' };

/** What every router should hold for one session. `version` tells one wish from the next. */
export interface DesiredRoute extends Wish {
  version: number;
  /** Monotonic milliseconds. */
  changedAt: number;
}

/** The daemon's wish: the one table that all routers follow. */
export interface DesiredTable {
  readonly routes: ReadonlyMap<string, DesiredRoute>;
  set(id: string, wish: Wish): DesiredRoute;
  /** Drops tombstones of `olderThanMs` and more; answers whose they were. */
  dropTombstones(olderThanMs: number): string[];
}

export function createDesiredTable(now: () => number): DesiredTable {
  const routes = new Map<string, DesiredRoute>();
  let version = 0;
  return {
    routes,
    set(id, { state, address, tokenDigest }) {
      version += 1;
      const route = { state, address, tokenDigest, version, changedAt: now() };
      routes.set(id, route);
      return route;
    },
    dropTombstones(olderThanMs) {
      const before = now() - olderThanMs;
      const old = [...routes].filter(([, route]) => route.state === 'gone' && route.changedAt <= before);
      for (const [id] of old) routes.delete(id);
      return old.map(([id]) => id);
    },
  };
}

/** Ids that lead somewhere in a router's whole table and that nobody wishes: what a killed daemon left half-done. */
export function strangers(
  desired: ReadonlyMap<string, DesiredRoute>,
  stored: Readonly<Record<string, Route>>,
): string[] {
  const unwished = Object.entries(stored).filter(([id, { state }]) => state !== 'gone' && !desired.has(id));
  return unwished.map(([id]) => id);
}

/** Ids whose entry in a router's whole table (`stored`) differs from the wish. */
export function differences(
  desired: ReadonlyMap<string, DesiredRoute>,
  stored: Readonly<Record<string, Route>>,
): string[] {
  const wrong = [...desired].filter(([id, wish]) => {
    const there = stored[id];
    if (there === undefined) return wish.state !== 'gone';
    if (there.state !== wish.state || there.address !== wish.address) return true;
    // A router keeps the digest of what is gone.
    return wish.state !== 'gone' && there.tokenDigest !== wish.tokenDigest;
  });
  const extra = Object.keys(stored).filter((id) => !desired.has(id));
  return [...wrong.map(([id]) => id), ...extra];
}

/** The present wishes for `ids`; an id that nobody wishes any more is to be forgotten. */
export function batchOf(ids: string[], desired: DesiredTable, generation: number): RouteBatch {
  const batch: RouteBatch = { generation, put: {}, delete: [], forget: [] };
  for (const id of ids) {
    const wish = desired.routes.get(id);
    if (wish === undefined) batch.forget.push(id);
    else if (wish.state === 'gone') batch.delete.push(id);
    else batch.put[id] = entryOf(wish);
  }
  return batch;
}

function entryOf({ state, address, tokenDigest }: Wish): RouteBatch['put'][string] {
  return { state, address, ...(tokenDigest !== '' && { tokenDigest }) };
}

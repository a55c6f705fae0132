/**
 * Keeps one router's table equal to the desired one. Level-triggered: what is sent is always the present wish for
 * the ids that may differ, so changes that pile up while a write is on its way leave in one batch.
 */
import type { Logger } from 'pino';
import { type DesiredTable, differences, strangers } from './desired-table.ts';
import type { Generations } from './generations.ts';
import { type RouteBatch, type RouterClient, RouterError, type RouterHealth } from './router-client.ts';

/** `absent`: nobody listens there, so it serves nobody. `hung`: it may serve, but does not answer us. */
export type LinkState = 'live' | 'syncing' | 'hung' | 'absent';

/** What became of one wish: the router holds it, has no room for it, or could not be told. */
export type Applied = 'ok' | 'full' | 'down';

export interface RouterLink {
  readonly client: RouterClient;
  state(): LinkState;
  /** Whether the router was asked at all yet, whatever came of it. */
  wasChecked(): boolean;
  health(): RouterHealth | undefined;
  /** Sends the present wish for `id`. */
  apply(id: string, version: number): Promise<Applied>;
  /** The same for many, without an answer. */
  refresh(ids: string[]): void;
  /** Whether visitors of this router meet what is wished for `id` now: it holds the wish, or nobody is there. */
  follows(id: string): boolean;
  /** Asks the router how it is; fills it whole if it is new, emptied or was out of reach. Call it again and again. */
  check(): Promise<void>;
}

export interface RouterLinkParts {
  client: RouterClient;
  desired: DesiredTable;
  generations: Generations;
  log: Logger;
  /** Drops tombstones everywhere to make room for a session; false if there were none. */
  makeRoom(): boolean;
  /** Called after a whole table was brought in line. */
  synced(seconds: number): void;
}

// A router takes 500 entries in one write (docs/router-api.md).
const BATCH = 500;

interface Waiter {
  version: number;
  settle: (applied: Applied) => void;
}

export function createRouterLink(parts: RouterLinkParts): RouterLink {
  const { client, desired, generations, log } = parts;
  let state: LinkState = 'absent';
  let health: RouterHealth | undefined;
  let bootId: string | undefined;
  let downReason = '';
  let checked = false;
  let flushing: Promise<void> | undefined;
  const dirty = new Set<string>();
  let sending = new Set<string>();
  const waiters = new Map<string, Waiter[]>();
  const unplaced = new Set<string>();

  async function check(): Promise<void> {
    try {
      health = await healthOrRetry();
      generations.observe(health.generation);
      if (state !== 'live' || health.bootId !== bootId || !health.filled) await fill(health.bootId);
      else if (unplaced.size > 0) await retryUnplaced();
    } catch (error) {
      down(error as Error);
    }
    checked = true;
  }

  // A machine that starts a hundred programs at once may be late for a moment.
  async function healthOrRetry(): Promise<RouterHealth> {
    return client.health().catch((error: Error) => {
      if (state !== 'live' || isAbsent(error)) throw error;
      return client.health();
    });
  }

  async function fill(newBootId: string): Promise<void> {
    const startedAt = performance.now();
    state = 'syncing';
    bootId = newBootId;
    const stored = await client.table();
    assertFilling();
    if (stored.bootId !== bootId) throw new Error('the router restarted while its table was read');
    for (const id of strangers(desired.routes, stored.routes))
      desired.set(id, { state: 'gone', address: '' });
    const changes = differences(desired.routes, stored.routes);
    for (const id of changes) dirty.add(id);
    await flush();
    // Unknown ids keep being told 503, not 404, until every route has found room.
    if (unplaced.size > 0) throw new Error(`${unplaced.size} routes do not fit into the router's zone`);
    await client.filled(bootId);
    assertFilling();
    state = 'live';
    downReason = '';
    const seconds = (performance.now() - startedAt) / 1000;
    log.info({ router: client.address, bootId, changes: changes.length, seconds }, 'router filled');
    parts.synced(seconds);
    await flush();
  }

  // An older write may fail meanwhile; changes since then were told to nobody.
  function assertFilling(): void {
    if (state !== 'syncing') throw new Error('a write failed while the router was being filled');
  }

  async function retryUnplaced(): Promise<void> {
    for (const id of unplaced) dirty.add(id);
    await flush();
  }

  function flush(): Promise<void> {
    flushing ??= drainDirty().finally(() => {
      flushing = undefined;
    });
    return flushing;
  }

  async function drainDirty(): Promise<void> {
    while (dirty.size > 0) {
      const ids = [...dirty].slice(0, BATCH);
      for (const id of ids) dirty.delete(id);
      await send(ids);
    }
  }

  async function send(ids: string[]): Promise<void> {
    sending = new Set(ids);
    const versions = new Map(
      ids.map((id) => [id, desired.routes.get(id)?.version ?? Number.POSITIVE_INFINITY]),
    );
    const written = await client.write(batchOf(ids, desired, generations.next()));
    if (written.bootId !== bootId) throw new Error('the router restarted during a write');
    if (written.stale.length > 0) throw new Error('somebody wrote to the router with a higher generation');
    if (written.full.length > 0 && parts.makeRoom()) {
      for (const id of written.full) dirty.add(id);
    } else {
      for (const id of written.full) unplaced.add(id);
    }
    const full = new Set(written.full);
    for (const [id, version] of versions) {
      if (dirty.has(id) && full.has(id)) continue;
      if (!full.has(id)) unplaced.delete(id);
      settle(id, version, full.has(id) ? 'full' : 'ok');
    }
    sending.clear();
  }

  function settle(id: string, version: number, applied: Applied): void {
    const waiting = waiters.get(id) ?? [];
    const later = waiting.filter((waiter) => waiter.version > version);
    if (later.length > 0) waiters.set(id, later);
    else waiters.delete(id);
    for (const waiter of waiting) {
      if (waiter.version <= version) waiter.settle(applied);
    }
  }

  function isReachable(): boolean {
    return state === 'live' || state === 'syncing';
  }

  function refresh(ids: string[]): void {
    if (!isReachable()) return;
    for (const id of ids) dirty.add(id);
    // While it is being filled, the fill sends them, after what it has found.
    if (state === 'live') flush().catch(down);
  }

  function down(error: Error): void {
    const next = isAbsent(error) ? 'absent' : 'hung';
    // It is tried again all the time; the same reason is told once.
    const reason = error.message;
    if (reason !== downReason) log.warn({ router: client.address, state: next, reason }, 'router lost');
    downReason = reason;
    state = next;
    dirty.clear(); // the fill on its return compares everything
    sending.clear();
    unplaced.clear();
    for (const id of [...waiters.keys()]) settle(id, Number.POSITIVE_INFINITY, 'down');
  }

  return {
    client,
    state: () => state,
    wasChecked: () => checked,
    health: () => health,
    check,
    async apply(id, version) {
      if (!isReachable()) return 'down';
      const applied = new Promise<Applied>((resolve) => {
        waiters.set(id, [...(waiters.get(id) ?? []), { version, settle: resolve }]);
      });
      refresh([id]);
      return applied;
    },
    refresh,
    follows(id) {
      if (state === 'absent') return checked;
      return state === 'live' && !dirty.has(id) && !sending.has(id);
    },
  };
}

function isAbsent(error: Error): boolean {
  return error instanceof RouterError && error.absent;
}

/** The present wishes for `ids`; an id that nobody wishes any more is to be forgotten. */
export function batchOf(ids: string[], desired: DesiredTable, generation: number): RouteBatch {
  const batch: RouteBatch = { generation, put: {}, delete: [], forget: [] };
  for (const id of ids) {
    const wish = desired.routes.get(id);
    if (wish === undefined) batch.forget.push(id);
    else if (wish.state === 'gone') batch.delete.push(id);
    else batch.put[id] = { state: wish.state, address: wish.address };
  }
  return batch;
}

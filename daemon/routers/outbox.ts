import { batchOf, type DesiredTable } from './desired-table.ts';
import type { Generations } from './generations.ts';
import type { RouterClient, Written } from './router-client.ts';
import { type Applied, createWaiters } from './waiters.ts';

// A router would take 500 (docs/router-api.md). But a worker of it serves nobody while it writes, and a visitor's wait
// is what is to stay small; fewer would take the two of them longer in all.
const BATCH = 100;

/**
 * What one router is still to be told. It holds ids only; what is sent is the present wish for them, so changes that
 * pile up while a write is on its way leave in one batch.
 */
export interface Outbox {
  add(ids: string[]): void;
  /** Sends all there is. Rejects if a write fails; what was on its way may have arrived then, or not. */
  flush(): Promise<void>;
  /** Routes that the router had no room for. */
  unplaced(): number;
  retryUnplaced(): Promise<void>;
  /** Ids whose wish the router did not take, for it may not lead to such an address. */
  refused(): ReadonlySet<string>;
  /** Whether the router was told, and has confirmed, all that is wished for `id`. */
  isDone(id: string): boolean;
  /** Resolves when the router was told of this version or a later one. */
  told(id: string, version: number): Promise<Applied>;
  /** Forgets everything; whoever waits is told `down`. */
  clear(): void;
}

export interface OutboxParts {
  client: RouterClient;
  desired: DesiredTable;
  generations: Generations;
  /** Drops tombstones everywhere to make room for a session; false if there were none. */
  makeRoom(): boolean;
  /** Called when the router has refused addresses. */
  onRefused(ids: string[]): void;
  /** The table that is written to; a write that reaches another one fails. */
  bootId: () => string | undefined;
}

export function createOutbox(parts: OutboxParts): Outbox {
  const { client, desired, generations, makeRoom, bootId } = parts;
  const dirty = new Set<string>();
  let sending = new Set<string>();
  const unplaced = new Set<string>();
  const refused = new Set<string>();
  const waiters = createWaiters();
  let flushing: Promise<void> | undefined;

  function flush(): Promise<void> {
    flushing ??= drainDirty().finally(() => {
      flushing = undefined;
    });
    return flushing;
  }

  async function drainDirty(): Promise<void> {
    let batch: string[] = [];
    // Comes to what is added meanwhile, too.
    for (const id of dirty) {
      dirty.delete(id);
      batch.push(id);
      if (batch.length < BATCH && dirty.size > 0) continue;
      await send(batch);
      batch = [];
    }
  }

  async function send(ids: string[]): Promise<void> {
    sending = new Set(ids);
    const versions = new Map(
      ids.map((id) => [id, desired.routes.get(id)?.version ?? Number.POSITIVE_INFINITY]),
    );
    const written = await client.write(batchOf(ids, desired, generations.next()));
    if (written.bootId !== bootId()) throw new Error('the router restarted during a write');
    if (written.stale.length > 0) throw new Error('somebody wrote to the router with a higher generation');
    if (written.full.length > 0 && makeRoom()) {
      for (const id of written.full) dirty.add(id);
    } else {
      for (const id of written.full) unplaced.add(id);
    }
    const outcomes = outcomesOf(written);
    for (const [id, version] of versions) {
      const applied = outcomes.get(id) ?? 'ok';
      if (applied === 'full' && dirty.has(id)) continue;
      if (applied !== 'full') unplaced.delete(id);
      if (applied === 'refused') refused.add(id);
      else refused.delete(id);
      waiters.settle(id, version, applied);
    }
    sending.clear();
    if (written.refused.length > 0) parts.onRefused(written.refused);
  }

  function add(ids: Iterable<string>): void {
    for (const id of ids) dirty.add(id);
  }

  return {
    add,
    flush,
    unplaced: () => unplaced.size,
    retryUnplaced() {
      add(unplaced);
      return flush();
    },
    refused: () => refused,
    // Of what found no room or was refused, the router still holds the wish before.
    isDone: (id) => ![dirty, sending, unplaced, refused].some((ids) => ids.has(id)),
    told: waiters.wait,
    clear() {
      dirty.clear();
      sending.clear();
      unplaced.clear();
      refused.clear();
      waiters.settleAll('down');
    },
  };
}

function outcomesOf({ full, refused }: Written): Map<string, Applied> {
  return new Map([
    ...full.map((id) => [id, 'full'] as const),
    ...refused.map((id) => [id, 'refused'] as const),
  ]);
}

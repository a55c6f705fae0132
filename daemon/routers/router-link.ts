/**
 * Keeps one router's table equal to the desired one: fills it whole when it is new, emptied or was out of reach, and
 * tells it of every change from then on.
 */
import type { Logger } from 'pino';
import type { Mode } from '../public-url.ts';
import { type DesiredTable, differences, GONE, strangers } from './desired-table.ts';
import type { Generations } from './generations.ts';
import { createOutbox } from './outbox.ts';
import { isAbsent, type RouterClient, type RouterHealth } from './router-client.ts';
import { createHealthCheck } from './router-health.ts';
import type { Applied } from './waiters.ts';

/** `absent`: nobody listens there, so nobody new comes in. `hung`: it may serve, but does not answer us. */
export type LinkState = 'live' | 'syncing' | 'hung' | 'absent';

export interface RouterLink {
  readonly client: RouterClient;
  state(): LinkState;
  /** Whether the router was asked at all yet, whatever came of it. */
  wasChecked(): boolean;
  /** Whether it ever held the whole table, so that visitors may have come. */
  wasLive(): boolean;
  /** Why it is not live. */
  problem(): string | undefined;
  health(): RouterHealth | undefined;
  /** Since when it has not said how it is, though somebody may be there; on the clock of `now`. */
  silentSince(): number | undefined;
  /**
   * Sends the present wish for `id`. A router that is out of reach, or that has been filled for `ACKNOWLEDGE_MS`
   * already, is not waited for: `down` at once.
   */
  apply(id: string, version: number): Promise<Applied>;
  /** The same for many, without an answer. */
  refresh(ids: string[]): void;
  /** Whether visitors of this router meet what is wished for `id` now: it holds the wish, or takes nobody in. */
  follows(id: string): boolean;
  /** Whether it serves, but not this session, for it may not lead to its address. */
  refuses(id: string): boolean;
  /** Asks the router how it is; fills it whole if it is new, emptied or was out of reach. Call it again and again. */
  check(): Promise<void>;
  /** For good: nothing more is sent, and whoever waits is told `down`. */
  close(): Promise<void>;
}

export interface RouterLinkParts {
  client: RouterClient;
  desired: DesiredTable;
  /** How the daemon expects it to lead to sessions. */
  mode: Mode;
  generations: Generations;
  log: Logger;
  now: () => number;
  /** Drops tombstones everywhere to make room for a session; false if there were none. */
  makeRoom(): boolean;
  /** Whether another router serves, or is about to. */
  othersServe(): boolean;
  /** Called, while it is live, when it refuses the addresses of these sessions. */
  refused(ids: string[]): void;
  /** Called after a whole table was brought in line. */
  filled(seconds: number): void;
}

/** A router delays whoever changes a route by no more than this, in milliseconds. */
export const ACKNOWLEDGE_MS = 2_000;

export function createRouterLink(parts: RouterLinkParts): RouterLink {
  const { client, desired, mode, generations, log, now, makeRoom } = parts;
  let state: LinkState = 'absent';
  const how = createHealthCheck(client, mode, now);
  let bootId: string | undefined;
  let downReason = '';
  let checked = false;
  let everLive = false;
  let closed = false;
  let fillStartedAt = 0;
  const outbox = createOutbox({
    client,
    desired,
    generations,
    makeRoom,
    onRefused(ids) {
      if (state === 'live') parts.refused(ids);
    },
    bootId: () => bootId,
  });

  async function check(): Promise<void> {
    try {
      const health = await how.ask(state === 'live');
      if (closed) return;
      generations.observe(health.generation);
      if (state !== 'live' || health.bootId !== bootId || !health.filled) await fill(health.bootId);
      else if (outbox.unplaced() > 0) await outbox.retryUnplaced();
    } catch (error) {
      down(error as Error);
    }
    checked = true;
  }

  async function fill(newBootId: string): Promise<void> {
    fillStartedAt = performance.now();
    state = 'syncing';
    bootId = newBootId;
    const stored = await client.table();
    assertFilling();
    if (stored.bootId !== bootId) throw new Error('the router restarted while its table was read');
    for (const id of strangers(desired.routes, stored.routes)) desired.set(id, GONE);
    const changes = differences(desired.routes, stored.routes);
    outbox.add(changes);
    await outbox.flush();
    assertFilling();
    // Unknown ids keep being told 503, not 404, until every route has found room.
    const unplaced = outbox.unplaced();
    if (unplaced > 0) throw new Error(`${unplaced} routes do not fit into the router's zone`);
    // The setting of one router is no reason to end what works by way of others.
    const refused = [...outbox.refused()];
    if (refused.length > 0 && parts.othersServe()) throw new Error(refusal(refused.length));
    await client.filled(bootId);
    assertFilling();
    state = 'live';
    everLive = true;
    downReason = '';
    const seconds = (performance.now() - fillStartedAt) / 1000;
    log.info({ router: client.address, bootId, changes: changes.length, seconds }, 'router filled');
    parts.filled(seconds);
    if (refused.length > 0) parts.refused(refused);
    await outbox.flush();
  }

  // It may have been closed meanwhile; or an older write failed, and changes since then were told to nobody.
  function assertFilling(): void {
    if (state !== 'syncing') throw new Error('a write failed while the router was being filled');
  }

  function isReachable(): boolean {
    return state === 'live' || state === 'syncing';
  }

  function refresh(ids: string[]): void {
    if (!isReachable()) return;
    outbox.add(ids);
    // While it is being filled, the fill sends them, after what it has found.
    if (state === 'live') outbox.flush().catch(down);
  }

  function down(error: Error): void {
    if (closed) return;
    const next = isAbsent(error) ? 'absent' : 'hung';
    // It is tried again all the time; the same reason is told once.
    const reason = error.message;
    if (reason !== downReason)
      log.warn({ router: client.address, state: next, reason }, 'router is not used');
    downReason = reason;
    giveUp(next);
  }

  function giveUp(next: LinkState): void {
    state = next;
    outbox.clear(); // the fill on its return compares everything
  }

  return {
    client,
    state: () => state,
    wasChecked: () => checked,
    wasLive: () => everLive,
    problem: () => (downReason === '' ? undefined : downReason),
    health: how.last,
    silentSince: how.silentSince,
    check,
    async apply(id, version) {
      if (!isReachable()) return 'down';
      const late = state === 'syncing' && performance.now() - fillStartedAt > ACKNOWLEDGE_MS;
      const applied = late ? 'down' : outbox.told(id, version);
      refresh([id]);
      return applied;
    },
    refresh,
    follows(id) {
      if (state === 'absent') return checked;
      return state === 'live' && outbox.isDone(id);
    },
    refuses: (id) => state === 'live' && outbox.refused().has(id),
    close() {
      closed = true;
      giveUp('absent');
      return client.close();
    },
  };
}

function refusal(count: number): string {
  return `may not lead to the addresses of ${count} sessions, while other routers serve: allow it more (--backend, SPAWNER_BACKENDS)`;
}

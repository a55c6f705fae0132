import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RouteState } from '../../njs/route.ts';
import { coalesce } from '../coalesce.ts';
import { every } from '../every.ts';
import { createDesiredTable } from './desired-table.ts';
import { createGenerations } from './generations.ts';
import { type RouterActivity, type RouterClient, RouterError, type RouterHealth } from './router-client.ts';
import { type Applied, createRouterLink, type LinkState } from './router-link.ts';

// A restarted router is noticed within this, and filled well within a second.
const CHECK_MS = 250;
// A router that hangs delays a change by no more than this.
const ACKNOWLEDGE_MS = 2_000;
// Writes give up after 2 s, so a late one can't come after this.
const TOMBSTONE_MS = 60_000;

/** What became of a change: how many routers hold it, and which had no room. */
export interface Acknowledgement {
  live: number;
  full: string[];
}

export interface FleetActivity {
  sessions: Map<string, { active: number; total: number }>;
  /** True if no router can serve visitors unseen: each has answered or is absent. */
  quiet: boolean;
  /** `quiet`, and at least one router is there. */
  complete: boolean;
  /** Another value than last time: a router restarted or came back, and its counts began anew. */
  boots: string;
  /** A router has no room to count in: what it reports is too low. */
  uncounted: boolean;
}

export interface RouterStatus {
  address: string;
  state: LinkState;
  health: RouterHealth | undefined;
}

/** All routers as one. */
export interface Routers {
  set(id: string, route: { state: Exclude<RouteState, 'gone'>; address: string }): Promise<Acknowledgement>;
  /** Takes a route away: the id is `gone` at once, unknown after a minute. */
  remove(id: string): Promise<Acknowledgement>;
  /** Whether no visitor of any router can meet anything but what is wished for `id` now. */
  isSettled(id: string): boolean;
  /** A reading that began after the call. */
  activity(): Promise<FleetActivity>;
  status(): RouterStatus[];
  /** Each router was asked once, and at least one of them holds the whole table. */
  synced(): boolean;
  start(): void;
  stop(): Promise<void>;
}

export interface RoutersParts {
  clients: RouterClient[];
  log: Logger;
  now: () => number;
  synced(router: string, seconds: number): void;
}

export function createRouters({ clients, log, now, synced }: RoutersParts): Routers {
  const desired = createDesiredTable(now);
  const generations = createGenerations(Date.now);
  const links = clients.map((client) =>
    createRouterLink({
      client,
      desired,
      generations,
      log,
      makeRoom: () => dropTombstones(0),
      synced: (seconds) => synced(client.address, seconds),
    }),
  );
  const stops: (() => void)[] = [];

  async function change(id: string, route: { state: RouteState; address: string }): Promise<Acknowledgement> {
    const { version } = desired.set(id, route);
    const applied = await Promise.all(links.map((link) => within(ACKNOWLEDGE_MS, link.apply(id, version))));
    const full = links.filter((_, index) => applied[index] === 'full').map((link) => link.client.address);
    return { live: applied.filter((one) => one === 'ok').length, full };
  }

  function dropTombstones(olderThanMs: number): boolean {
    const dropped = desired.dropTombstones(olderThanMs);
    for (const link of links) link.refresh(dropped);
    return dropped.length > 0;
  }

  return {
    set: change,
    remove: (id) => change(id, { state: 'gone', address: '' }),
    isSettled: (id) => links.every((link) => link.follows(id)),
    activity: coalesce(() => readActivity(clients)),
    status: () =>
      links.map((link) => ({ address: link.client.address, state: link.state(), health: link.health() })),
    synced: () => links.every((link) => link.wasChecked()) && links.some((link) => link.state() === 'live'),
    start() {
      const failed = (error: Error) => log.error({ err: error }, 'router upkeep failed');
      for (const link of links) {
        stops.push(every(CHECK_MS, link.check, failed));
      }
      stops.push(every(TOMBSTONE_MS / 60, async () => void dropTombstones(TOMBSTONE_MS), failed));
    },
    async stop() {
      for (const stop of stops) stop();
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

async function readActivity(clients: RouterClient[]): Promise<FleetActivity> {
  const answers = await Promise.all(
    clients.map((client) => client.activity().catch((error: Error) => error)),
  );
  const seen = answers.filter((answer): answer is RouterActivity => !(answer instanceof Error));
  const sessions: FleetActivity['sessions'] = new Map();
  for (const [id, { active, total }] of seen.flatMap((activity) => Object.entries(activity.sessions))) {
    const sum = sessions.get(id) ?? { active: 0, total: 0 };
    sessions.set(id, { active: sum.active + active, total: sum.total + total });
  }
  // A router that is absent serves nobody; one that hangs may.
  const hung = answers.some(
    (answer) => answer instanceof Error && !(answer instanceof RouterError && answer.absent),
  );
  return {
    sessions,
    quiet: !hung,
    complete: !hung && seen.length > 0,
    boots: seen.map((activity) => activity.bootId).join(),
    uncounted: seen.some((activity) => activity.uncounted > 0),
  };
}

async function within(ms: number, applied: Promise<Applied>): Promise<Applied> {
  const late = async () => {
    await sleep(ms, undefined, { ref: false });
    // If it was this process that was late, the answer is there already and waits to be read.
    await nextTurn();
    return 'down' as const;
  };
  return Promise.race([applied, late()]);
}

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RouteState } from '../../njs/route.ts';
import { coalesce } from '../coalesce.ts';
import { every } from '../every.ts';
import { createDesiredTable } from './desired-table.ts';
import { createFleetAccount, type FleetActivity } from './fleet-activity.ts';
import { createGenerations } from './generations.ts';
import type { RouterClient, RouterHealth } from './router-client.ts';
import { ACKNOWLEDGE_MS, createRouterLink, type LinkState, type RouterLink } from './router-link.ts';
import type { Applied } from './waiters.ts';

export type { FleetActivity };

// A restarted router is noticed within this, and filled well within a second.
const CHECK_MS = 250;
// Writes give up after 2 s, so a late one can't come after this.
const TOMBSTONE_MS = 60_000;

/** What became of a change: how many routers hold it, and which had no room. */
export interface Acknowledgement {
  live: number;
  full: string[];
}

/** A router that is to be followed. */
export interface RouterMember {
  /** Of its admin API: `unix:/path` or `http://host:port`. */
  address: string;
  /**
   * Found in a directory that lists a router until nothing of it is left (a Service's Endpoints), not named by hand.
   * Such a router that refuses our calls may be shutting down: nginx closes its listeners first, and serves open
   * WebSockets on until they end.
   */
  discovered: boolean;
}

export interface RouterStatus {
  address: string;
  state: LinkState;
  health: RouterHealth | undefined;
}

/**
 * All routers as one. Whatever a router does, come, go, hang or restart, it delays a change by no more than
 * `ACKNOWLEDGE_MS`, and one that is known to hang delays none.
 */
export interface Routers {
  /**
   * These are the routers from now on. Each that is new is asked and filled at once; one that is no longer among them
   * is told nothing more and waited for by nobody. Call it only when all routers are known, since until then nothing
   * is settled or quiet, and when the routes of all that lives are set, since what a router holds beyond them is
   * taken away.
   */
  follow(members: RouterMember[]): void;
  set(id: string, route: { state: Exclude<RouteState, 'gone'>; address: string }): Promise<Acknowledgement>;
  /** Takes a route away: the id is `gone` at once, unknown after a minute. */
  remove(id: string): Promise<Acknowledgement>;
  /** Whether the routers are known and no visitor of any can meet anything but what is wished for `id` now. */
  isSettled(id: string): boolean;
  /** A reading that began after the call. */
  activity(): Promise<FleetActivity>;
  status(): RouterStatus[];
  /** Each router of the first `follow` was asked once, and at least one of all holds the whole table. */
  synced(): boolean;
  stop(): Promise<void>;
}

export interface RoutersParts {
  connect: (address: string) => RouterClient;
  log: Logger;
  now: () => number;
  /** Called after a router's whole table was brought in line. */
  filled(seconds: number): void;
}

interface Followed {
  link: RouterLink;
  /** Whether it was there when the daemon began to follow. */
  original: boolean;
  discovered: boolean;
  stopChecks: () => void;
}

export function createRouters({ connect, log, now, filled }: RoutersParts): Routers {
  const desired = createDesiredTable(now);
  const generations = createGenerations(Date.now);
  const account = createFleetAccount();
  const followed = new Map<string, Followed>();
  let begun = false;

  const failed = (error: Error) => log.error({ err: error }, 'router upkeep failed');
  const links = () => [...followed.values()].map(({ link }) => link);
  const stopUpkeep = every(TOMBSTONE_MS / 60, async () => void dropTombstones(TOMBSTONE_MS), failed);

  function follow(members: RouterMember[]): void {
    const wanted = new Map(members.map((member) => [member.address, member]));
    for (const address of [...followed.keys()].filter((address) => !wanted.has(address))) {
      drop(address).catch(failed);
    }
    for (const member of [...wanted.values()].filter(({ address }) => !followed.has(address))) add(member);
    begun = true;
  }

  function add({ address, discovered }: RouterMember): void {
    const link = createRouterLink({
      client: connect(address),
      desired,
      generations,
      log,
      makeRoom: () => dropTombstones(0),
      filled,
    });
    log.info({ router: address }, 'router followed');
    followed.set(address, {
      link,
      original: !begun,
      discovered,
      stopChecks: every(CHECK_MS, link.check, failed),
    });
  }

  async function drop(address: string): Promise<void> {
    const { link, stopChecks } = followed.get(address) as Followed;
    followed.delete(address);
    log.info({ router: address }, 'router dropped');
    stopChecks();
    await link.close();
  }

  async function change(id: string, route: { state: RouteState; address: string }): Promise<Acknowledgement> {
    const { version } = desired.set(id, route);
    const told = links();
    const applied = await Promise.all(told.map((link) => within(ACKNOWLEDGE_MS, link.apply(id, version))));
    const full = told.filter((_, index) => applied[index] === 'full').map((link) => link.client.address);
    return { live: applied.filter((one) => one === 'ok').length, full };
  }

  function dropTombstones(olderThanMs: number): boolean {
    const dropped = desired.dropTombstones(olderThanMs);
    for (const link of links()) link.refresh(dropped);
    return dropped.length > 0;
  }

  async function readActivity(): Promise<FleetActivity> {
    const asked = [...followed.values()].map(async (router) => {
      const answer = await router.link.client.activity().catch((error: Error) => error);
      return [router, answer] as const;
    });
    const answers = new Map(await Promise.all(asked));
    const readings = [...followed.values()].map((router) => ({
      answer: answers.get(router) ?? new Error('it came while the others were asked'),
      mayShutDown: mayShutDown(router),
    }));
    const activity = account(readings);
    return { ...activity, quiet: activity.quiet && begun };
  }

  return {
    follow,
    set: change,
    remove: (id) => change(id, { state: 'gone', address: '' }),
    isSettled: (id) => begun && links().every((link) => link.follows(id)),
    activity: coalesce(readActivity),
    status: () =>
      links().map((link) => ({ address: link.client.address, state: link.state(), health: link.health() })),
    synced: () =>
      [...followed.values()].every(({ link, original }) => !original || link.wasChecked()) &&
      links().some((link) => link.state() === 'live'),
    async stop() {
      stopUpkeep();
      await Promise.all([...followed.keys()].map(drop));
    },
  };
}

/**
 * Whether a router may carry visitors though nobody listens at its admin API: it may be one that shuts down. One that
 * came later and never held our table has not begun yet. What those did that we found at our start, nobody knows.
 */
function mayShutDown({ discovered, original, link }: Followed): boolean {
  return discovered && (original || link.wasLive());
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

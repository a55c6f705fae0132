import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { coalesce } from '../coalesce.ts';
import { every } from '../every.ts';
import type { Mode } from '../public-url.ts';
import { createDesiredTable, GONE, type Wish } from './desired-table.ts';
import { createFleetAccount, type FleetActivity } from './fleet-activity.ts';
import { type Followed, isLostAt, mayShutDown, type RouterMember } from './followed.ts';
import { createGenerations } from './generations.ts';
import type { RouterClient, RouterHealth } from './router-client.ts';
import { ACKNOWLEDGE_MS, createRouterLink, type LinkState, type RouterLink } from './router-link.ts';
import type { Applied } from './waiters.ts';

export type { FleetActivity, RouterMember };

// A restarted router is noticed within this, and filled well within a second.
const CHECK_MS = 250;
// Writes give up after 2 s, so a late one can't come after this.
const TOMBSTONE_MS = 60_000;
const LOST =
  'router lost: it is counted no more until it answers; if its node is dead, delete its Pod (kubectl delete pod --force)';

/** What became of a change: how many routers hold it, and which had no room. */
export interface Acknowledgement {
  live: number;
  full: string[];
}

export interface RouterStatus {
  address: string;
  /** `lost`: hung, and not Ready, for so long that it leads nobody anywhere; it counts for nothing until it answers. */
  state: LinkState | 'lost';
  health: RouterHealth | undefined;
  /** Why it is not live. */
  problem: string | undefined;
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
  set(id: string, wish: Wish): Promise<Acknowledgement>;
  /** Takes a route away: the id is `gone` at once, unknown after a minute. */
  remove(id: string): Promise<Acknowledgement>;
  /** Whether the routers are known and no visitor of any can meet anything but what is wished for `id` now. */
  isSettled(id: string): boolean;
  /** The live routers that may not lead to the address that is wished for `id`. */
  refusing(id: string): string[];
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
  mode: Mode;
  /** Called when a live router has refused the addresses of these sessions. */
  refused(ids: string[]): void;
  /** Called after a router's whole table was brought in line. */
  filled(seconds: number): void;
}

export function createRouters({ connect, log, now, mode, refused, filled }: RoutersParts): Routers {
  const desired = createDesiredTable(now);
  const generations = createGenerations(Date.now);
  const account = createFleetAccount();
  const followed = new Map<string, Followed>();
  let begun = false;

  const failed = (error: Error) => log.error({ err: error }, 'router upkeep failed');
  const isHere = (router: Followed) => !isLostAt(router, now());
  const counted = () => [...followed.values()].filter(isHere);
  const links = () => [...followed.values()].map(({ link }) => link);
  const stopUpkeep = every(TOMBSTONE_MS / 60, async () => void dropTombstones(TOMBSTONE_MS), failed);

  function follow(members: RouterMember[]): void {
    const wanted = new Map(members.map((member) => [member.address, member]));
    for (const address of [...followed.keys()].filter((address) => !wanted.has(address))) {
      drop(address).catch(failed);
    }
    for (const member of wanted.values()) {
      const known = followed.get(member.address);
      if (known) known.member = member;
      else add(member);
    }
    begun = true;
  }

  function add(member: RouterMember): void {
    const { address } = member;
    const link = createRouterLink({
      client: connect(address),
      desired,
      mode,
      generations,
      log,
      now,
      makeRoom: () => dropTombstones(0),
      othersServe: () => links().some((other) => other !== link && mayServe(other)),
      refused,
      filled,
    });
    log.info({ router: address }, 'router followed');
    const router: Followed = { member, link, original: !begun, stopChecks: () => {} };
    followed.set(address, router);
    router.stopChecks = every(CHECK_MS, tellingIfLost(router), failed);
  }

  /** The router's checks, which tell once when it is lost. */
  function tellingIfLost(router: Followed): () => Promise<void> {
    let told = false;
    return async () => {
      await router.link.check();
      const lost = !isHere(router);
      if (lost && !told) log.warn({ router: router.member.address }, LOST);
      told = lost;
    };
  }

  async function drop(address: string): Promise<void> {
    const { link, stopChecks } = followed.get(address) as Followed;
    followed.delete(address);
    log.info({ router: address }, 'router dropped');
    stopChecks();
    await link.close();
  }

  async function change(id: string, wish: Wish): Promise<Acknowledgement> {
    const { version } = desired.set(id, wish);
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
    const asked = counted().map(async (router) => {
      const answer = await router.link.client.activity().catch((error: Error) => error);
      return [router, answer] as const;
    });
    const answers = new Map(await Promise.all(asked));
    const readings = counted().map((router) => ({
      answer: answers.get(router) ?? new Error('it came while the others were asked'),
      mayShutDown: mayShutDown(router),
    }));
    const activity = account(readings);
    return { ...activity, quiet: activity.quiet && begun };
  }

  return {
    follow,
    set: change,
    remove: (id) => change(id, GONE),
    isSettled: (id) => begun && counted().every(({ link }) => link.follows(id)),
    refusing: (id) =>
      links()
        .filter((link) => link.refuses(id))
        .map(({ client }) => client.address),
    activity: coalesce(readActivity),
    status: () =>
      [...followed.values()].map((router) => ({
        address: router.member.address,
        state: isHere(router) ? router.link.state() : 'lost',
        health: router.link.health(),
        problem: router.link.problem(),
      })),
    synced: () =>
      [...followed.values()].every(({ link, original }) => !original || link.wasChecked()) &&
      links().some((link) => link.state() === 'live'),
    async stop() {
      stopUpkeep();
      await Promise.all([...followed.keys()].map(drop));
    },
  };
}

function mayServe(link: RouterLink): boolean {
  return !link.wasChecked() || ['live', 'syncing'].includes(link.state());
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

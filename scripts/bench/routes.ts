/** What it takes to keep a large route table, and what that does to visitors. */
import { setTimeout as sleep } from 'node:timers/promises';
import { withClosing } from './closing.ts';
import { percentile } from './percentiles.ts';
import { rowOf } from './proxies/figures.ts';
import { startBackend } from './proxies/load/backend.ts';
import { type Daemon, makeDaemon, type Routed, startRouted } from './route-table.ts';
import { sessionId } from './sessions.ts';
import type { Context, Result, Row, Suite } from './suite.ts';
import { sendVisitors } from './visitors.ts';

const VISITED = 64;
const VISITS_PER_SECOND = 1_000;
const CHANGES_PER_SECOND = 1_000;
const CHANGE_TICK_MS = 10;

interface Size {
  routes: number;
  /** Changed one after the other. */
  changes: number;
  /** How long visitors are watched, undisturbed and while routes change. */
  watchMs: number;
}

/** What one round measured. */
interface Round {
  fillSeconds: number;
  refillSeconds: number;
  backSeconds: number;
  bytesPerRoute: number;
  changeMs: { p50: number; p99: number };
  /** p99 of visits. */
  undisturbedMs: number;
  whileFilledMs: number;
  whileChangedMs: number;
}

export const suite: Suite = {
  name: 'routes',
  about: 'a table of 100,000 routes: fill, refill, changes, and visitors meanwhile',
  async run(context) {
    const size = context.quick
      ? { routes: 5_000, changes: 100, watchMs: 500 }
      : { routes: 100_000, changes: 1_000, watchMs: 3_000 };
    const rounds: Round[] = [];
    for (let number = 1; number <= context.rounds; number++) {
      context.say(`round ${number} of ${context.rounds}, ${thousands(size.routes)} routes`);
      rounds.push(await measureRound(context, size));
    }
    return resultOf(rounds, size.routes);
  },
};

function measureRound({ abort, scratch }: Context, size: Size): Promise<Round> {
  return withClosing(abort, async (onEnd) => {
    const routed = await startRouted(onEnd, size.routes);
    const { publicSocket: socketPath } = routed.router;
    const { stop } = await startBackend(scratch, routed.ports);
    onEnd(stop);
    await withClosing(abort, (onEnd) => makeDaemon(onEnd, routed, VISITED).follow());
    const paths = Array.from({ length: VISITED }, (_, index) => `/p/${sessionId(index)}/`);
    const visitors = await sendVisitors(onEnd, { socketPath, paths, perSecond: VISITS_PER_SECOND });
    const p99 = async () => percentile((await visitors.endPeriod()).latenciesMs, 0.99);
    await sleep(size.watchMs); // connections are made, code gets warm
    await p99();
    await sleep(size.watchMs);
    const undisturbedMs = await p99();

    const daemon = makeDaemon(onEnd, routed, size.routes);
    await p99();
    const freeBefore = await freeBytes(routed);
    const fillSeconds = await daemon.follow();
    const whileFilledMs = await p99();
    const bytesPerRoute = (freeBefore - (await freeBytes(routed))) / (size.routes - VISITED);

    const changeMs = await changeOneByOne(routed, daemon, size);
    await p99();
    await changeSteadily(routed, daemon, size);
    const whileChangedMs = await p99();
    const refill = await killAndRefill(routed, daemon);
    return {
      fillSeconds,
      ...refill,
      bytesPerRoute,
      changeMs,
      undisturbedMs,
      whileFilledMs,
      whileChangedMs,
    };
  });
}

async function killAndRefill({ router }: Routed, { nextFill }: Daemon) {
  await router.kill();
  const filled = nextFill();
  const startedAt = performance.now();
  await router.restart();
  const refillSeconds = await filled;
  return { refillSeconds, backSeconds: (performance.now() - startedAt) / 1000 };
}

async function freeBytes({ router }: Routed): Promise<number> {
  const { body } = await router.admin.call('GET', '/v1/health');
  return body.zones.routes.freeBytes;
}

async function changeOneByOne(routed: Routed, { routers }: Daemon, size: Size) {
  const times: number[] = [];
  for (let index = 0; index < size.changes; index++) {
    const startedAt = performance.now();
    const { live } = await routers.set(...changeOf(routed, index, size.routes));
    if (live !== 1) throw new Error('the router did not acknowledge a change');
    times.push(performance.now() - startedAt);
  }
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

/** Without waiting for the router. */
async function changeSteadily(routed: Routed, { routers }: Daemon, size: Size): Promise<void> {
  const changes: Promise<unknown>[] = [];
  const startedAt = performance.now();
  for (let passedMs = 0; passedMs < size.watchMs; passedMs = performance.now() - startedAt) {
    const due = Math.floor((passedMs / 1000) * CHANGES_PER_SECOND);
    while (changes.length < due) changes.push(routers.set(...changeOf(routed, changes.length, size.routes)));
    await sleep(CHANGE_TICK_MS);
  }
  await Promise.all(changes);
}

/** A session that nobody visits becomes draining, the next time around ready again. */
function changeOf(routed: Routed, change: number, routes: number): Parameters<Daemon['routers']['set']> {
  const unvisited = routes - VISITED;
  const id = sessionId(VISITED + ((change * 7_919) % unvisited));
  const state = change % 2 === 0 ? 'draining' : 'ready';
  return [id, { state, address: routed.addressOf(id), tokenDigest: '' }];
}

function resultOf(rounds: Round[], routes: number): Result {
  const row = (work: string, subject: string, metric: string, unit: string, of: (round: Round) => number) =>
    rowOf({ work, subject, metric, unit, values: rounds.map(of) });
  const subject = 'router and daemon, loopback';
  const table = `${thousands(routes)} routes`;
  const visit = `small GET at ${thousands(VISITS_PER_SECOND)} a second`;
  const back = row(`refill of ${table}`, subject, 'time', 's', ({ refillSeconds }) => refillSeconds);
  const slowdown = row('', '', '', '×', ({ whileFilledMs, undisturbedMs }) => whileFilledMs / undisturbedMs);
  const rows: Row[] = [
    row(`fill of ${table}`, subject, 'time', 's', ({ fillSeconds }) => fillSeconds),
    back,
    row(
      `refill of ${table}`,
      subject,
      'time since the start of nginx after kill -9',
      's',
      (round) => round.backSeconds,
    ),
    row(table, subject, 'memory of the zone, each', 'bytes', ({ bytesPerRoute }) => bytesPerRoute),
    row(`one change of ${table}, acknowledged`, subject, 'p50', 'ms', ({ changeMs }) => changeMs.p50),
    row(`one change of ${table}, acknowledged`, subject, 'p99', 'ms', ({ changeMs }) => changeMs.p99),
    row(visit, 'undisturbed', 'p99', 'ms', ({ undisturbedMs }) => undisturbedMs),
    row(visit, `while ${table} are filled in`, 'p99', 'ms', ({ whileFilledMs }) => whileFilledMs),
    row(
      visit,
      `while ${thousands(CHANGES_PER_SECOND)} of ${table} change a second`,
      'p99',
      'ms',
      ({ whileChangedMs }) => whileChangedMs,
    ),
  ];
  return {
    rows,
    goals: [
      { what: `refill of ${table}`, unit: 's', most: 2, measured: back.value },
      {
        what: `p99 of small GETs during a fill, against undisturbed`,
        unit: '×',
        most: 2,
        measured: slowdown.value,
      },
    ],
  };
}

function thousands(count: number): string {
  return count.toLocaleString('en');
}

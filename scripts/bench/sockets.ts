/** What open WebSockets take of a router, and what they notice of others' comings and goings. */

import { type Child, startChild } from './child.ts';
import { type OnEnd, withClosing } from './closing.ts';
import { percentile } from './percentiles.ts';
import { childrenOf, pssBytes } from './process-use.ts';
import { rowOf } from './proxies/figures.ts';
import { freePort } from './proxies/program.ts';
import { type Daemon, makeDaemon, type Routed, startRouted } from './route-table.ts';
import { sessionId } from './sessions.ts';
import type { Order, Report } from './sockets-crowd.ts';
import { measureSidecars, RESIDENT } from './sockets-sidecar.ts';
import { startStaticProxy } from './sockets-static.ts';
import type { Context, Result, Row, Suite } from './suite.ts';

const MESSAGES_PER_SECOND = 2_000;
const WORKERS = 2;
const ROUTER = 'router';
const STATIC = 'nginx, static';

interface Size {
  sockets: number;
  /** Added and removed while the WebSockets are open. */
  routes: number;
}

/** What one round measured of one proxy. */
interface Measured {
  bytesPerSocket: number;
  echoMs: { p50: number; p99: number };
}

/** A proxy that is ready for visitors. */
interface Proxy {
  url: string;
  /** All its processes. */
  pids(): number[];
}

export const suite: Suite = {
  name: 'sockets',
  about: '10,000 open WebSockets: memory, echo, and routes that come and go; the memory of a sidecar',
  async run(context) {
    const size = context.quick ? { sockets: 500, routes: 500 } : { sockets: 10_000, routes: 10_000 };
    const sidecars = await measureSidecars(context);
    const routed: Measured[] = [];
    const plain: Measured[] = [];
    for (let round = 1; round <= context.rounds; round++) {
      context.say(
        `round ${round} of ${context.rounds}: ${thousands(size.sockets)} WebSockets through the router`,
      );
      routed.push(await measureRouter(context, size));
      context.say(`round ${round} of ${context.rounds}: the same through ${STATIC}`);
      plain.push(await measureStatic(context, size));
    }
    return resultOf(size, routed, plain, sidecars);
  },
};

function measureRouter({ abort }: Context, size: Size): Promise<Measured> {
  return withClosing(abort, async (onEnd) => {
    const port = await freePort();
    const routed = await startRouted(onEnd, size.sockets + size.routes, `127.0.0.1:${port}`);
    await startEcho(onEnd, routed.ports);
    const daemon = makeDaemon(onEnd, routed, size.sockets);
    await daemon.follow();
    const pid = routed.router.pid();
    const proxy = { url: `ws://127.0.0.1:${port}`, pids: () => [pid, ...childrenOf(pid)] };
    const { crowd, measured } = await measureProxy(onEnd, proxy, size);
    await addAndRemove(routed, daemon, size);
    const { open, latenciesMs } = await echoOnEach(crowd, size);
    const lost = size.sockets - open;
    if (lost > 0 || !latenciesMs.every(Number.isFinite))
      throw new Error(`${lost} WebSockets were lost while routes changed`);
    return measured;
  });
}

function measureStatic({ abort, scratch }: Context, { sockets }: Size): Promise<Measured> {
  return withClosing(abort, async (onEnd) => {
    const [listen, backend] = [await freePort(), await freePort()];
    await startEcho(onEnd, [backend]);
    const { pid, stop } = await startStaticProxy(scratch, { listen, backend, sockets, workers: WORKERS });
    onEnd(stop);
    const proxy = { url: `ws://127.0.0.1:${listen}`, pids: () => [pid, ...childrenOf(pid)] };
    return (await measureProxy(onEnd, proxy, { sockets })).measured;
  });
}

async function startEcho(onEnd: OnEnd, ports: number[]): Promise<void> {
  await startChild<number[], true>(onEnd, 'sockets-backend.ts').ask(ports);
}

async function measureProxy(onEnd: OnEnd, { url, pids }: Proxy, size: Pick<Size, 'sockets'>) {
  const paths = Array.from({ length: size.sockets }, (_, index) => `/p/${sessionId(index)}/`);
  const crowd = startChild<Order, Report>(onEnd, 'sockets-crowd.ts');
  const memory = () => pids().reduce((sum, pid) => sum + pssBytes(pid), 0);
  const before = memory();
  const { open } = await crowd.ask({ do: 'open', url, paths });
  if (open < size.sockets) throw new Error(`of ${size.sockets} WebSockets only ${open} stayed open`);
  const { latenciesMs } = await echoOnEach(crowd, size);
  const measured: Measured = {
    bytesPerSocket: (memory() - before) / size.sockets,
    echoMs: { p50: percentile(latenciesMs, 0.5), p99: percentile(latenciesMs, 0.99) },
  };
  return { crowd, measured };
}

function echoOnEach(crowd: Child<Order, Report>, { sockets }: Pick<Size, 'sockets'>): Promise<Report> {
  return crowd.ask({ do: 'echo', messages: sockets, perSecond: MESSAGES_PER_SECOND });
}

async function addAndRemove(
  { addressOf }: Routed,
  { routers }: Daemon,
  { sockets, routes }: Size,
): Promise<void> {
  const ids = Array.from({ length: routes }, (_, index) => sessionId(sockets + index));
  const added = ids.map((id) => routers.set(id, { state: 'ready', address: addressOf(id), tokenDigest: '' }));
  await Promise.all(added);
  await Promise.all(ids.map(routers.remove));
}

function resultOf({ sockets, routes }: Size, routed: Measured[], plain: Measured[], sidecars: Row[]): Result {
  const work = `${thousands(sockets)} open WebSockets`;
  const rowsOf = (subject: string, rounds: Measured[]) => {
    const row = (metric: string, unit: string, of: (one: Measured) => number) =>
      rowOf({ work, subject, metric, unit, values: rounds.map(of) });
    return [
      row('memory each', 'KB', ({ bytesPerSocket }) => bytesPerSocket / 1024),
      row('echo p50', 'ms', ({ echoMs }) => echoMs.p50),
      row('echo p99', 'ms', ({ echoMs }) => echoMs.p99),
    ];
  };
  const [ours, theirs] = [rowsOf(ROUTER, routed), rowsOf(STATIC, plain)];
  const lost = {
    work: `${work} while ${thousands(routes)} routes are added and removed`,
    subject: ROUTER,
    metric: 'lost',
    unit: 'WebSockets',
    value: 0, // or the suite has failed
  };
  return {
    rows: [...ours, ...theirs, lost, ...sidecars],
    goals: [
      {
        what: 'memory of an open WebSocket, against the static proxy',
        unit: '×',
        most: 1.3,
        measured: (ours[0] as Row).value / (theirs[0] as Row).value,
      },
      {
        what: 'sidecar resident',
        unit: 'MB',
        most: 8,
        measured: Math.max(...sidecars.filter(({ metric }) => metric === RESIDENT).map(({ value }) => value)),
      },
    ],
  };
}

function thousands(count: number): string {
  return count.toLocaleString('en');
}

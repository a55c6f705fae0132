/** What the daemon takes: to start sessions, and to look after many. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Daemon } from '../../test/support/daemon.ts';
import { ask } from '../../test/support/http.ts';
import { until } from '../../test/support/poll.ts';
import { program } from '../cluster/places.ts';
import { bundleDaemon, daemonNodeFlags } from '../images/bundle.ts';
import { withClosing } from './closing.ts';
import { type Cluster, readMetric, startCluster, untilReady } from './daemon-cluster.ts';
import { initMany, latencyRows, rateRows } from './daemon-inits.ts';
import { measureProcesses } from './daemon-processes.ts';
import { cpuSeconds, pssBytes } from './process-use.ts';
import type { Context, Goal, Result, Row, Suite } from './suite.ts';
import { sendVisitors } from './visitors.ts';

const SUBJECT = 'Kubernetes runtime, real API server, kubelet played';
const MODES = ['router', 'app', 'sidecar'] as const;
const SIDECAR = ['--status', 'sidecar', '--sidecar-image', 'played:1'];
const AT_A_TIME = 32;
const MEGABYTE = 1024 * 1024;

type Mode = (typeof MODES)[number];

interface Size {
  sessions: number;
  idleSeconds: number;
  /** Each session is visited once in so long, so that none is idle for too long. */
  visitEachSeconds: number;
  /** How long the daemon is watched, after it had as long to settle. */
  watchSeconds: number;
}

/** What the daemon takes while all sessions are in use. */
interface Upkeep {
  readySeconds: number;
  cpuPercent: number;
  pssBytes: number;
  heapBytes: number;
  /** From the last use of a session to its end. */
  reapedSeconds: number;
}

export const suite: Suite = {
  name: 'daemon',
  about:
    '/init per second and latency; CPU and memory with 10,000 sessions (played apps) in each status mode',
  async run(context) {
    const size = context.quick
      ? { sessions: 500, idleSeconds: 5, visitEachSeconds: 3, watchSeconds: 5 }
      : { sessions: 10_000, idleSeconds: 30, visitEachSeconds: 20, watchSeconds: 30 };
    const processes = await measureProcesses(context);
    const missing = whatIsMissing();
    if (missing !== undefined) {
      context.say(`without the Kubernetes runtime: ${missing}`);
      return { rows: processes, goals: goalsOf(size, []) };
    }
    return measureCluster(context, size, processes);
  },
};

function whatIsMissing(): string | undefined {
  try {
    program('kube-apiserver');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function measureCluster({ abort, say, scratch }: Context, size: Size, processes: Row[]): Promise<Result> {
  return withClosing(abort, async (onEnd) => {
    const { sessions } = size;
    say('a real API server');
    // One more, that is not visited.
    const cluster = await startCluster(onEnd, sessions + 1, await daemonOfImage(scratch));
    // So that its Pods have sidecars, which the other modes do not ask.
    const first = await cluster.startDaemon([...SIDECAR, '--idle-timeout', '1h']);
    const some = Math.ceil(sessions / 50);
    say(`${some} sessions, one after the other`);
    const single = await initMany(first, some, 1);
    say(`${sessions - some} sessions, ${AT_A_TIME} at a time`);
    const many = await initMany(first, sessions - some, AT_A_TIME);
    await untilReady(first, sessions);

    const { publicSocket: socketPath } = cluster.router;
    const paths = [...single.ids, ...many.ids].map((id) => `/p/${id}/`);
    const visitors = await sendVisitors(onEnd, {
      socketPath,
      paths,
      perSecond: sessions / size.visitEachSeconds,
    });
    const rows = [...processes, ...latencyRows(SUBJECT, single), ...rateRows(SUBJECT, AT_A_TIME, many)];
    const upkeeps: Upkeep[] = [];
    for (const mode of MODES) {
      say(`${sessions} sessions, --status ${mode}`);
      const upkeep = await measureUpkeep(cluster, mode, size);
      await visitors.endPeriod();
      upkeeps.push(upkeep);
      say(`${upkeep.cpuPercent.toFixed(1)} % of a core, ${(upkeep.pssBytes / MEGABYTE).toFixed(0)} MB`);
      rows.push(...upkeepRows(mode, size, upkeep));
    }
    return { rows, goals: goalsOf(size, upkeeps) };
  });
}

// What Node allows itself in a Pod with the 512 Mi of deploy/daemon.yaml; on a whole machine it collects later.
const AS_IN_POD = '--max-old-space-size=256';

/** What Node runs in the daemon's image. */
async function daemonOfImage(scratch: string): Promise<string[]> {
  const file = join(scratch, 'daemon.mjs');
  await bundleDaemon(file);
  return [AS_IN_POD, ...daemonNodeFlags, file];
}

async function measureUpkeep(cluster: Cluster, mode: Mode, size: Size): Promise<Upkeep> {
  const { sessions, idleSeconds, watchSeconds } = size;
  const startedAt = performance.now();
  const status = mode === 'sidecar' ? SIDECAR : ['--status', mode];
  const daemon = await cluster.startDaemon([...status, '--idle-timeout', `${idleSeconds}s`]);
  const readySeconds = (performance.now() - startedAt) / 1000;
  await untilReady(daemon, sessions);
  const [reapedSeconds, use] = await Promise.all([useOnce(cluster, daemon), watch(daemon, watchSeconds)]);
  await untilReady(daemon, sessions);
  return { readySeconds, reapedSeconds, ...use };
}

async function watch(
  daemon: Daemon,
  seconds: number,
): Promise<Pick<Upkeep, 'cpuPercent' | 'pssBytes' | 'heapBytes'>> {
  const pid = daemon.process.pid as number;
  await sleep(1_000 * seconds);
  const [cpuBefore, watchedFrom] = [cpuSeconds(pid), performance.now()];
  await sleep(1_000 * seconds);
  return {
    cpuPercent: (100_000 * (cpuSeconds(pid) - cpuBefore)) / (performance.now() - watchedFrom),
    pssBytes: pssBytes(pid),
    heapBytes: await readMetric(daemon, 'nodejs_heap_size_used_bytes'),
  };
}

/** Starts one more session, visits it once, and resolves with the seconds after which it is reaped. */
async function useOnce({ router }: Cluster, daemon: Daemon): Promise<number> {
  const { ids } = await initMany(daemon, 1, 1);
  const id = ids[0] as string;
  await ask(router.publicSocket, `/p/${id}/`);
  const usedAt = performance.now();
  const stateOf = async () => (await router.admin.call('GET', `/v1/routes/${id}`)).body.state;
  await until('an unused session to be reaped', async () => (await stateOf()) !== 'ready', 120);
  const seconds = (performance.now() - usedAt) / 1000;
  const view = async () => (await daemon.api('GET', `/sessions/${id}`)).json;
  await until('its Pod to be gone', async () => (await view()).state === 'gone', 60);
  return seconds;
}

function upkeepRows(mode: Mode, { sessions, idleSeconds }: Size, upkeep: Upkeep): Row[] {
  const subject = `daemon, --status ${mode}`;
  const work = `${sessions.toLocaleString('en')} sessions in use`;
  return [
    { work, subject, metric: 'CPU', unit: '% of a core', value: upkeep.cpuPercent },
    { work, subject, metric: 'memory (PSS)', unit: 'MB', value: upkeep.pssBytes / MEGABYTE },
    { work, subject, metric: 'heap', unit: 'MB', value: upkeep.heapBytes / MEGABYTE },
    { work, subject, metric: 'from its start until ready', unit: 's', value: upkeep.readySeconds },
    {
      work: `an unused one of ${sessions.toLocaleString('en')} sessions, --idle-timeout ${idleSeconds}s`,
      ...{ subject, metric: 'reaped after', unit: 's', value: upkeep.reapedSeconds },
    },
  ];
}

function goalsOf({ sessions }: Size, upkeeps: Upkeep[]): Goal[] {
  const what = `daemon with ${sessions.toLocaleString('en')} sessions`;
  const most = (of: (upkeep: Upkeep) => number) =>
    upkeeps.length === 0 ? undefined : Math.max(...upkeeps.map(of));
  return [
    { what: `${what}, memory`, unit: 'MB', most: 250, measured: most((one) => one.pssBytes / MEGABYTE) },
    { what: `${what}, CPU`, unit: '% of a core', most: 15, measured: most(({ cpuPercent }) => cpuPercent) },
  ];
}

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { scanProcesses } from '../../daemon/runtime/process/proc.ts';
import { type ApiAnswer, type Daemon, startDaemon } from './daemon.ts';
import { type Answer, ask, type Call } from './http.ts';
import { until } from './poll.ts';
import { reservePorts } from './ports.ts';
import { type Router, type RouterOptions, startRouter } from './router.ts';

const APP = join(import.meta.dirname, 'session-app.js');

export interface WorldOptions {
  /** Flags of the daemon beside those that place it. */
  flags?: string[];
  router?: RouterOptions;
  /** How many ports sessions may use. */
  ports?: number;
  /** Shell command of a session; else the app of tests. */
  command?: string;
  env?: Record<string, string>;
}

export interface SessionView {
  id: string;
  url: string;
  state: string;
}

/** Router, daemon and sessions of one test: real nginx, real daemon, real processes. */
export interface World {
  router: Router;
  daemon: Daemon;
  stateDir: string;
  /** POST /init that is expected to succeed. */
  init(body?: unknown): Promise<SessionView>;
  session(id: string): Promise<ApiAnswer>;
  /** A request to a session by its id, through the router. `rest` follows `/p/<id>/`. */
  visit(id: string, rest?: string, call?: Call): Promise<Answer>;
  /** An open WebSocket to a session, through the router. */
  connect(id: string): Promise<WebSocket>;
  /** Starts the daemon anew after its end, in the same state folder. Flags that are given now win. */
  restartDaemon(flags?: string[]): Promise<void>;
  /** Processes that carry the session's id. */
  processes(id: string): Promise<number[]>;
  /** Ids of this world's sessions that have processes. */
  sessionsWithProcesses(): Promise<string[]>;
}

/** It is torn down with the test; a failing test prints nginx's error log and the daemon's log. */
export async function startWorld(t: ExecutionContext, options: WorldOptions = {}): Promise<World> {
  await turn(t);
  const stateDir = await mkdtemp(join(tmpdir(), 'spawner-state-'));
  const ports = await reservePorts();
  const router = await startRouter(options.router);
  const flags = [
    ...['--router', `unix:${router.adminAddress}`, '--state-dir', stateDir],
    ...[
      '--ports',
      `${ports.first}-${options.ports ? ports.first + options.ports - 1 : ports.last}`,
      '--public-url',
      'http://spawner.test',
    ],
    ...['--application-command', options.command ?? `"${process.execPath}" "${APP}"`],
    ...['--stop-grace', '1s', ...(options.flags ?? [])],
  ];
  const start = (more: string[] = []) => startDaemon([...flags, ...more], options.env);
  let daemon = await start().catch(async (error) => {
    await router.stop();
    throw error;
  });
  const sockets: WebSocket[] = [];
  t.teardown(async () => {
    for (const socket of sockets) socket.terminate();
    if (!t.passed) t.log(`daemon:\n${daemon.log()}\nnginx:\n${await router.errorLog()}`);
    // SIGINT has the daemon end all sessions; one that was killed is started for that.
    if (daemon.process.exitCode !== null || daemon.process.signalCode !== null) daemon = await start();
    await daemon.end('SIGINT');
    await router.stop();
    const left = await sessionsWithProcesses(ports);
    ports.release();
    await rm(stateDir, { recursive: true, force: true });
    if (left.length > 0)
      throw new Error(`sessions that outlived Ctrl-C: ${left.join(', ')}\n${daemon.log()}`);
  });
  await until('the router to be filled', async () => (await daemon.api('GET', '/readyz')).status === 200);

  return {
    router,
    stateDir,
    get daemon() {
      return daemon;
    },
    async init(body) {
      const answer = await daemon.api('POST', '/init', body);
      if (answer.status !== 201) throw new Error(`/init answered ${answer.status}: ${answer.body}`);
      return answer.json;
    },
    session: (id) => daemon.api('GET', `/sessions/${id}`),
    visit: (id, rest = '', call = {}) => ask(router.publicSocket, `/p/${id}/${rest}`, call),
    connect(id) {
      const socket = new WebSocket(`ws+unix:${router.publicSocket}:/p/${id}/`);
      sockets.push(socket);
      return new Promise((resolve, reject) => {
        socket.once('open', () => resolve(socket)).once('error', reject);
      });
    },
    async restartDaemon(more) {
      daemon = await start(more);
    },
    sessionsWithProcesses: () => sessionsWithProcesses(ports),
    async processes(id) {
      return (await scanProcesses())
        .filter(({ spawnerSession }) => spawnerSession === id)
        .map(({ pid }) => pid);
    },
  };
}

/** Ids of sessions whose apps were given a port of this range and still run. */
async function sessionsWithProcesses(ports: { first: number; last: number }): Promise<string[]> {
  const found = new Set<string>();
  for (const { pid, spawnerSession } of await scanProcesses()) {
    if (spawnerSession === undefined) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    const port = Number(/(?:^|\0)PORT=(\d+)/.exec(environment)?.[1]);
    if (port >= ports.first && port <= ports.last) found.add(spawnerSession);
  }
  return [...found];
}

// Each world is an nginx, a daemon and apps: too many at a time on a small machine, and nothing is on time any more.
const WORLDS_AT_A_TIME = 3;
const free = Array.from({ length: WORLDS_AT_A_TIME }, () => Promise.resolve());

/** Waits until another test of this file has ended, if too many run. */
async function turn(t: ExecutionContext): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const place = free.shift() as Promise<void>;
  free.push(Promise.all([place, promise]).then(() => {}));
  t.teardown(resolve);
  await place;
}

/**
 * `npm run measure`: what the daemon and a router take, on this machine and on loopback: latency of `/init`, time to
 * refill a router that lost its table, memory. Starts and ends everything itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { createRouterClient } from '../daemon/routers/router-client.ts';
import { createRouters } from '../daemon/routers/routers.ts';
import { newSessionId } from '../daemon/session.ts';
import { percentile } from './bench/percentiles.ts';
import { childrenOf, pssBytes } from './bench/process-use.ts';
import { freePort } from './bench/proxies/program.ts';
import { nginxFor } from './nginx.ts';
import { parseStart } from './start-options.ts';
import { adminAddress, nginxProgram, writeRouter } from './start-programs.ts';

const INITS = 200;
const SESSIONS_FOR_MEMORY = 50;
const REFILLED_ROUTES = 5_000;
const REFILLS = 5;

const rows: [string, string][] = [];

function report(what: string, value: string): void {
  rows.push([what, value]);
  console.error(`  ${what}: ${value}`);
}

async function measureSessions(): Promise<void> {
  const [publicPort, apiPort] = [await freePort(), await freePort()];
  const api = `http://127.0.0.1:${apiPort}`;
  const flags = [`--public-listen=127.0.0.1:${publicPort}`, `--listen=127.0.0.1:${apiPort}`];
  const start = spawn(
    process.execPath,
    [join(import.meta.dirname, 'start.ts'), ...flags, '--log-level=error'],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  try {
    await answers(`${api}/readyz`);
    const pids = await programs(start);
    report('memory of the daemon without sessions (PSS)', megabytes(pids.daemon));

    console.error(`  ${INITS} sessions, one after the other …`);
    const answered: number[] = [];
    const ready: number[] = [];
    for (let count = 0; count < INITS; count++) {
      const startedAt = performance.now();
      const { id } = await post(`${api}/init`);
      answered.push(performance.now() - startedAt);
      await fetch(`http://127.0.0.1:${publicPort}/p/${id}/session`);
      ready.push(performance.now() - startedAt);
      await fetch(`${api}/sessions/${id}`, { method: 'DELETE' });
    }
    report('/init until its answer', percentiles(answered));
    report('/init until the app has answered a request', percentiles(ready));

    for (let count = 0; count < SESSIONS_FOR_MEMORY; count++) await post(`${api}/init`);
    report(`memory of the daemon with ${SESSIONS_FOR_MEMORY} sessions (PSS)`, megabytes(pids.daemon));
    report('memory of a router worker (PSS)', megabytes(pids.worker));
  } finally {
    start.kill('SIGINT');
    await once(start, 'exit');
  }
}

async function measureRefill(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'spawner-measure-'));
  const filled: number[] = [];
  const publicListen = { host: '127.0.0.1', port: await freePort() };
  await writeRouter(
    scratch,
    { ...parseStart(['--router-workers', '2'], { router: '', stateDir: '' }), publicListen },
    { mode: 'path', hostSuffix: '', backends: ['127.0.0.1:9'] },
    'http://127.0.0.1:1',
  );
  const program = nginxProgram(scratch);
  const address = adminAddress(scratch);
  let nginx = program.start();
  const routers = createRouters({
    connect: (router) => createRouterClient(router, undefined),
    log: pino({ level: 'silent' }),
    now: () => performance.now(),
    mode: 'path',
    refused: (ids) => {
      throw new Error(`the router refused ${ids.length} routes`);
    },
    filled: (seconds) => filled.push(seconds * 1000),
  });
  try {
    routers.follow([{ address, discovered: false }]);
    await until(() => filled.length === 1);
    const ids = Array.from({ length: REFILLED_ROUTES }, newSessionId);
    await Promise.all(
      ids.map((id) => routers.set(id, { state: 'ready', address: '127.0.0.1:9', tokenDigest: '' })),
    );
    const noticed: number[] = [];
    for (let round = 1; round <= REFILLS; round++) {
      process.kill(-(nginx.pid as number), 'SIGKILL');
      await once(nginx, 'exit');
      program.tidy();
      nginx = program.start();
      const startedAt = performance.now();
      await until(() => filled.length === round + 1);
      noticed.push(performance.now() - startedAt);
    }
    report(`refill of ${REFILLED_ROUTES} routes`, percentiles(filled.slice(1)));
    report('from the start of nginx after kill -9 until it holds them', percentiles(noticed));
  } finally {
    await routers.stop();
    nginx.kill('SIGTERM');
    await once(nginx, 'exit');
    rmSync(scratch, { recursive: true });
  }
}

async function post(url: string): Promise<{ id: string }> {
  const answer = await fetch(url, { method: 'POST' });
  if (answer.status !== 201) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as { id: string };
}

async function programs(start: ChildProcess): Promise<{ daemon: number; worker: number }> {
  const children = childrenOf(start.pid as number);
  const commands = await Promise.all(children.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8')));
  const daemon = children[commands.findIndex((command) => command.includes('daemon/main.ts'))] as number;
  const [worker] = childrenOf(children.find((pid) => pid !== daemon) as number);
  return { daemon, worker: worker as number };
}

function megabytes(pid: number): string {
  return `${(pssBytes(pid) / 1024 ** 2).toFixed(1)} MB`;
}

function percentiles(values: number[]): string {
  return `p50 ${percentile(values, 0.5).toFixed(1)} ms, p99 ${percentile(values, 0.99).toFixed(1)} ms`;
}

function answers(url: string): Promise<void> {
  return until(() =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(5);
}

const { version, njs } = nginxFor();
console.error(`nginx ${version}, njs ${njs}, Node ${process.version}`);
await measureSessions();
await measureRefill();
console.log(
  ['| what | measured |', '|---|---|', ...rows.map(([what, value]) => `| ${what} | ${value} |`)].join('\n'),
);

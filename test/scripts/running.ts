import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { until } from '../support/poll.ts';
import { reservePorts } from '../support/ports.ts';
import { family, type Process } from './processes.ts';

const script = join(import.meta.dirname, '..', '..', 'scripts', 'start.ts');

/** One `npm start` of a test's own. */
export interface Run {
  child: ChildProcess;
  publicUrl: string;
  apiUrl: string;
  /** Everything it writes lies below. */
  tmp: string;
  /** What it has printed. */
  output: () => string;
  exited: Promise<number | null>;
  /** Waits for the banner. */
  ready: () => Promise<void>;
  /** It and all that it started. */
  processes: () => Promise<Process[]>;
}

interface HowToRun {
  /** Instead of this Node with scripts/start.ts. */
  command?: [string, ...string[]];
  env?: NodeJS.ProcessEnv;
}

/** Starts it on free ports; `flags` win. The end of the test ends it, whatever became of it. */
export async function start(t: ExecutionContext, flags: string[] = [], how: HowToRun = {}): Promise<Run> {
  const tmp = await mkdtemp(join(tmpdir(), 'spawner-start-test-'));
  const ports = await reservePorts();
  const [publicPort, apiPort, firstPort] = [ports.first, ports.first + 1, ports.first + 2];
  const [command, ...args] = how.command ?? [process.execPath, script];
  args.push(
    `--public-listen=127.0.0.1:${publicPort}`,
    `--listen=127.0.0.1:${apiPort}`,
    `--ports=${firstPort}-${firstPort + 9}`,
    '--router-workers=1',
    '--log-level=warn',
    ...flags,
  );
  const env = { ...process.env, ...how.env, TMPDIR: tmp };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (data: Buffer) => {
    output += data;
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const exited = once(child, 'close').then(([code]) => code as number | null);
  t.teardown(async () => {
    child.kill('SIGINT');
    await Promise.race([exited, sleep(20_000, undefined, { ref: false })]);
    child.kill('SIGKILL');
    if (!t.passed) t.log(output, await errorLogs(tmp));
    ports.release();
    await rm(tmp, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  });
  const announced = () => {
    if (child.exitCode !== null) throw new Error(`it exited with code ${child.exitCode}:\n${output}`);
    return output.includes('Ctrl-C ends everything');
  };
  return {
    child,
    publicUrl: `http://127.0.0.1:${publicPort}`,
    apiUrl: `http://127.0.0.1:${apiPort}`,
    tmp,
    output: () => output,
    exited,
    ready: async () => void (await until('the banner', announced, 30)),
    processes: () => family(child.pid),
  };
}

/** Starts a session and waits until it is ready. */
export async function init(run: Run): Promise<{ id: string; url: string }> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${run.apiUrl}/init`, { method: 'POST', headers, body: '{"wait":"ready"}' });
  const body = await answer.text();
  if (answer.status !== 201) throw new Error(`POST /init answered ${answer.status}: ${body}`);
  return JSON.parse(body);
}

async function errorLogs(tmp: string): Promise<string> {
  const files = (await readdir(tmp, { recursive: true })).filter((file) => file.endsWith('nginx-error.log'));
  return (await Promise.all(files.map((file) => readFile(join(tmp, file), 'utf8')))).join('\n');
}

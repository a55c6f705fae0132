import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Answer, ask, type Call } from './http.ts';
import { until } from './poll.ts';

const MAIN = join(import.meta.dirname, '../../daemon/main.ts');

export interface Daemon {
  process: ChildProcess;
  /** `ip:port` of its API. */
  address: string;
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer>;
  /** Everything it logged. */
  log(): string;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

export interface ApiAnswer extends Answer {
  // biome-ignore lint/suspicious/noExplicitAny: parsed JSON; what a test reads of it, it also asserts.
  json: any;
}

/**
 * A real daemon as a process of its own. Its API listens on a free port unless `flags` say otherwise.
 * @param program what Node runs: flags of its own, and the file
 */
export async function startDaemon(
  flags: string[],
  env: Record<string, string> = {},
  program: string[] = [MAIN],
): Promise<Daemon> {
  const child = spawn(process.execPath, [...program, '--listen', '127.0.0.1:0', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  let log = '';
  child.stderr?.on('data', (chunk) => {
    log += chunk;
  });
  const listening = () => {
    if (child.exitCode !== null) throw new Error(`the daemon did not start: ${log}`);
    return listensAt(log);
  };
  // Dozens start at once in some tests.
  const address = await until('the daemon to listen', listening, 60).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
  return {
    process: child,
    address,
    log: () => log,
    async api(method, path, body, headers = {}) {
      const call: Call = { method, headers };
      if (body !== undefined) {
        call.body = typeof body === 'string' ? body : JSON.stringify(body);
        call.headers = { 'content-type': 'application/json', ...headers };
      }
      const answer = await ask(address, path, call);
      const isJson = answer.headers['content-type']?.includes('json');
      return { ...answer, json: isJson ? JSON.parse(answer.body) : undefined };
    },
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      await exited;
    },
  };
}

function listensAt(log: string): string | undefined {
  const line = log.split('\n').find((text) => text.includes('"daemon listens"'));
  if (!line) return undefined;
  const { api } = JSON.parse(line);
  return `${api.address}:${api.port}`;
}

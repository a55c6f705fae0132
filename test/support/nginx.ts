import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { until } from './poll.ts';

/** Runs nginx on `nginx.conf` of a folder, and returns when `ready`. The configuration must say `daemon off`. */
export async function startNginx(
  bin: string,
  directory: string,
  log: string,
  ready: () => Promise<boolean>,
): Promise<ChildProcess> {
  const nginx = spawn(bin, ['-p', directory, '-e', log, '-c', 'nginx.conf'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  nginx.stderr?.on('data', (chunk) => {
    complaint += chunk;
  });
  try {
    await until('nginx to start', async () => {
      if (nginx.exitCode !== null) {
        throw new Error(`nginx did not start: ${complaint}${await readFile(log, 'utf8').catch(() => '')}`);
      }
      return ready();
    });
  } catch (error) {
    await endNginx(nginx);
    throw error;
  }
  return nginx;
}

/** Ends it as `nginx -s stop` does, if it still runs. */
export async function endNginx(nginx: ChildProcess): Promise<void> {
  if (nginx.exitCode !== null || nginx.signalCode !== null) {
    return;
  }
  const exited = new Promise((resolve) => nginx.once('exit', resolve));
  nginx.kill('SIGTERM');
  await exited;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { program } from '../../scripts/cluster/places.ts';

/** A program of the test cluster that runs. */
export interface Running {
  /** Throws with the program's last words if it ended. */
  assertAlive(): void;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

/** Starts a program of the build. Should the test be killed, the kernel ends the program too. */
export function startTied(name: string, args: string[], log: string): Running {
  const child: ChildProcess = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program(name), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let lastWords = '';
  child.stderr?.pipe(createWriteStream(log, { flags: 'a' }));
  child.stderr?.on('data', (chunk) => {
    lastWords = `${lastWords}${chunk}`.slice(-2_000);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    assertAlive() {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${name} ended: ${lastWords}`);
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The pair of keys that sign service accounts: `sa.key` and `sa.pub`. */
export async function writeKeys(folder: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  await writeFile(join(folder, 'sa.key'), privateKey, { mode: 0o600 });
  await writeFile(join(folder, 'sa.pub'), publicKey);
}

/** The status of /readyz; 0 if nobody answers. */
export function statusOf(port: number, ca: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/readyz', ca, headers, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    }).on('error', () => resolve(0));
  });
}

/**
 * The program inside the namespaces of test/support/image.ts: it runs what an image holds as a container engine would,
 * on a read-only root with a /tmp in memory, as a user that is nobody; and asks it things over loopback.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Question {
  port: number;
  path: string;
  headers: Record<string, string>;
  family: 4 | 6;
}

export interface Reply {
  status: number;
  body: string;
}

const UID = '12345';
const [root = '', ...command] = process.argv.slice(2);

function run(program: string, ...words: string[]): void {
  execFileSync(program, words, { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
}

run('ip', 'link', 'set', 'lo', 'up');
for (const name of ['proc', 'dev']) mkdirSync(join(root, name), { recursive: true });
writeFileSync(join(root, 'dev', 'null'), '');
run('mount', '--bind', root, root);
run('mount', '--rbind', '/proc', join(root, 'proc'));
run('mount', '--bind', '/dev/null', join(root, 'dev', 'null'));
run('mount', '-t', 'tmpfs', 'tmpfs', join(root, 'tmp'));
run('mount', '-o', 'remount,bind,ro', root);

const inImage = [`--root=${root}`, '--wd=/', `--map-user=${UID}`, `--map-group=${UID}`];
const child = spawn('unshare', [...inImage, '--', ...command], { stdio: ['ignore', 'inherit', 'inherit'] });
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));

// The first process of a namespace of processes: with it, all of them end.
process.on('disconnect', () => process.exit());
process.on('message', async (message: Question | NodeJS.Signals) => {
  if (typeof message === 'string') child.kill(message);
  else process.send?.(await ask(message));
});

process.send?.('ready');

/** Null while nobody listens. */
async function ask({ port, path, headers, family }: Question): Promise<Reply | null> {
  try {
    const host = family === 4 ? '127.0.0.1' : '[::1]';
    const response = await fetch(`http://${host}:${port}${path}`, { headers });
    return { status: response.status, body: await response.text() };
  } catch {
    return null;
  }
}

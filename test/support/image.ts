import { type ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ExecutionContext } from 'ava';
import type { Question, Reply } from './image-inside.ts';
import { until } from './poll.ts';

const NAMESPACES = ['--map-root-user', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
const INSIDE = join(import.meta.dirname, 'image-inside.ts');

/** What an archive of an image says of it, and the files of its layers. */
export interface OpenImage {
  // biome-ignore lint/suspicious/noExplicitAny: parsed JSON; what a test reads of it, it also asserts.
  manifest: any;
  // biome-ignore lint/suspicious/noExplicitAny: the same
  config: any;
  /** The archive, unpacked. */
  parts: string;
  /** The layers, unpacked over each other. */
  root: string;
}

/** Unpacks an image into a folder, as `docker load` does. */
export async function openImage(archive: string, folder: string): Promise<OpenImage> {
  const [parts, root] = [join(folder, 'parts'), join(folder, 'root')];
  for (const path of [parts, root]) await mkdir(path, { recursive: true });
  execFileSync('tar', ['-C', parts, '-xf', archive]);
  const read = async (path: string) => JSON.parse(await readFile(join(parts, path), 'utf8'));
  const [manifest] = await read('manifest.json');
  for (const layer of manifest.Layers) execFileSync('tar', ['-C', root, '-xzpf', join(parts, layer)]);
  return { manifest, config: await read(manifest.Config), parts, root };
}

/** What comes of a command of an image that ends by itself and needs no network. */
export function runOnce(root: string, command: string[], env: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--map-root-user', `--root=${root}`, '--wd=/', ...command],
    { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } },
  );
  return { status, stdout, stderr };
}

export interface RunningImage {
  /** A GET on loopback, IPv4 unless told; waits until somebody listens. */
  get(port: number, path: string, options?: Partial<Question>): Promise<Reply>;
  kill(signal: NodeJS.Signals): void;
  /** What it has written to stdout and stderr. */
  output(): string;
  /** Its exit code. */
  ended: Promise<number>;
}

/** Runs a command of an image's files, in namespaces of its own; it ends with the test. */
export function runImage(
  t: ExecutionContext,
  root: string,
  command: string[],
  env: Record<string, string>,
): RunningImage {
  const child = spawn('unshare', [...NAMESPACES, process.execPath, INSIDE, root, ...command], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { PATH: process.env.PATH, ...env },
  }) as ChildProcessByStdio<null, Readable, Readable>;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  // Node emits no `close` of a child whose IPC was ended from here.
  const closed = [once(child, 'exit'), once(child.stdout, 'close'), once(child.stderr, 'close')] as const;
  const ended = Promise.all(closed).then(([[code]]) => code);
  const message = () => Promise.race([once(child, 'message'), ended.then(() => [undefined])]);
  const ready = message();
  t.teardown(async () => {
    if (child.connected) child.disconnect();
    await ended;
    if (!t.passed) t.log(`${command.join(' ')}:\n${output}`);
  });
  return {
    ended,
    output: () => output,
    kill: (signal) => void child.send(signal),
    async get(port, path, options = {}) {
      await ready;
      return until(`an answer at port ${port}`, async () => {
        if (child.exitCode !== null) throw new Error(`it has ended (it needs unshare, ip, mount): ${output}`);
        child.send({ port, path, headers: {}, family: 4, ...options } satisfies Question);
        const [reply] = await message();
        return reply as Reply | null | undefined;
      });
    },
  };
}

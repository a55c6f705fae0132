import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nginxFor } from '../../scripts/nginx.ts';
import { copySidecar } from './built.ts';
import { type Address, ask } from './http.ts';
import { endNginx } from './nginx.ts';
import { until } from './poll.ts';
import type { Stack } from './router.ts';

export interface SidecarOptions extends Stack {
  /** `ip:port`; else a unix socket of its own. */
  address?: Address;
  /** The environment; nginx hides all of it but what its configuration names. */
  env: Record<string, string>;
  /** Texts of the bundle to replace, such as the paths of the tables. */
  replace?: Record<string, string>;
}

export interface SidecarAnswer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: parsed JSON; what a test reads of it, it also asserts.
  body: any;
}

export interface Sidecar {
  call(path?: string, method?: string): Promise<SidecarAnswer>;
  /** The first process of its container, and nginx. */
  pids: [first: number, nginx: number];
  /** What its container would end with. */
  ended: Promise<number | null>;
  errorLog(): Promise<string>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** The sidecar's nginx from nginx/sidecar.conf, in a scratch folder of its own; returns when it answers. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const directory = await mkdtemp(join(tmpdir(), 'spawner-sidecar-'));
  try {
    return await startIn(directory, options);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function startIn(directory: string, options: SidecarOptions): Promise<Sidecar> {
  const { bin, module } = nginxFor(options.line);
  const at = (name: string) => join(directory, name);
  const address = options.address ?? at('sidecar.sock');
  const log = at('error.log');

  await copySidecar(at('sidecar.js'));
  await edit(at('sidecar.js'), at('sidecar.js'), options.replace ?? {});
  await edit(join(import.meta.dirname, '../../nginx/sidecar.conf'), at('sidecar.conf'), {
    // As root, nginx would give its temporary folders to a user that a namespace need not have.
    '{{module}}': `${module ? `load_module "${module}";` : ''}${process.getuid?.() === 0 ? ' user root;' : ''}`,
    '{{listen}}': `listen ${address.startsWith('/') ? 'unix:' : ''}${address};`,
    '{{jsPath}}': at('sidecar.js'),
    '{{directory}}': directory,
    js_import: `${options.engine ? `js_engine ${options.engine}; ` : ''}js_import`,
  });

  const stderr = openSync(log, 'w');
  const forked = join(import.meta.dirname, '../../deploy/images/router/forked.sh');
  const command = [bin, '-p', directory, '-e', 'stderr', '-c', 'sidecar.conf'];
  const sidecar = spawn(forked, [at('sidecar.pid'), ...command], {
    stdio: ['ignore', 'ignore', stderr],
    env: options.env,
  });
  closeSync(stderr);
  const ended = once(sidecar, 'exit').then(([code]) => code);
  const call: Sidecar['call'] = async (path = '/status', method = 'GET') => {
    const answer = await ask(address, path, { method });
    return { status: answer.status, body: JSON.parse(answer.body) };
  };
  const errorLog = () => readFile(log, 'utf8');
  let nginx: number;
  try {
    await until('the sidecar to answer', async () => {
      if (sidecar.exitCode !== null) throw new Error(`the sidecar did not start: ${await errorLog()}`);
      return call().catch(() => undefined);
    });
    // Debian's nginx answers before its first process has written who it is.
    nginx = await until('its number', async () =>
      Number(await readFile(at('sidecar.pid'), 'utf8').catch(() => '')),
    );
  } catch (error) {
    await endNginx(sidecar);
    throw error;
  }
  return {
    call,
    pids: [sidecar.pid as number, nginx],
    ended,
    errorLog,
    async stop() {
      await endNginx(sidecar);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function edit(from: string, to: string, replace: Record<string, string>): Promise<void> {
  let text = await readFile(from, 'utf8');
  for (const [old, now] of Object.entries(replace)) {
    if (!text.includes(old)) throw new Error(`${from} has no ${old}`);
    text = text.replaceAll(old, () => now);
  }
  await writeFile(to, text);
}

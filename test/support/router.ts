import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NginxLine, nginxFor } from '../../scripts/nginx.ts';
import { renderNginx, writeFiles } from '../../scripts/render.ts';
import type { NginxSettings, RouterSettings } from '../../scripts/router-settings.ts';
import { type Admin, adminAt } from './admin.ts';
import { copyBundle } from './built.ts';
import type { Address } from './http.ts';
import { endNginx, startNginx } from './nginx.ts';
import { until } from './poll.ts';

/** The nginx lines and engines that the router must run on. */
export const ALL_STACKS: Stack[] = [
  { line: 'stable', engine: undefined },
  { line: 'current', engine: undefined },
  { line: 'current', engine: 'qjs' },
];

/** Those of this run: `npm test` has the engine that routers are set up with, `npm run test:long` the other. */
export const STACKS: Stack[] = ALL_STACKS.filter(({ engine }) => engine === process.env.SPAWNER_TEST_ENGINE);

export interface Stack {
  line: NginxLine;
  engine: RouterSettings['engine'];
}

export interface RouterOptions extends Partial<Stack> {
  router?: Partial<RouterSettings>;
  nginx?: Partial<NginxSettings>;
}

export interface Router {
  /** Its scratch folder. */
  directory: string;
  /** The unix socket that serves sessions. */
  publicSocket: string;
  /** Where the admin API listens, a unix socket's path unless `router.adminListen` says otherwise. */
  adminAddress: Address;
  admin: Admin;
  /** The process id of nginx' master. */
  pid(): number;
  workerPids(): Promise<number[]>;
  errorLog(): Promise<string>;
  /** Changes settings, and returns when only new workers take connections; the old ones may live on. */
  reload(router?: Partial<RouterSettings>): Promise<void>;
  /** SIGKILLs the master and its workers, and removes the sockets they leave. `restart` starts it again. */
  kill(): Promise<void>;
  /** Ends nginx and starts it again in the same folder, with empty zones. */
  restart(): Promise<void>;
  /** Ends nginx and removes its folder. */
  stop(): Promise<void>;
}

/** A real nginx with the router in it, in a scratch folder of its own. Its bundle is built from the sources. */
export async function startRouter(options: RouterOptions = {}): Promise<Router> {
  const found = nginxFor(options.line ?? 'current');
  const directory = await mkdtemp(join(tmpdir(), 'spawner-router-'));
  const publicSocket = join(directory, 'public.sock');
  const adminListen = options.router?.adminListen ?? `unix:${join(directory, 'admin.sock')}`;
  const adminAddress = adminListen.replace(/^unix:/, '');
  const jsPath = join(directory, 'spawner.js');
  const log = join(directory, 'error.log');
  const admin = adminAt(adminAddress, options.router?.adminToken);

  const write = (router: Partial<RouterSettings>) =>
    writeFiles(
      directory,
      renderNginx(
        {
          module: found.module,
          workers: 2,
          listen: `unix:${publicSocket}`,
          user: process.getuid?.() === 0 ? 'root' : undefined,
          directory,
          errorLog: log,
          apiUrl: 'http://127.0.0.1:8080',
          ...options.nginx,
        },
        {
          engine: options.engine,
          nginxVersion: found.version,
          // Tests choose any free port, and play Pods on other addresses of loopback.
          backends: ['127.0.0.0/8', '[::1]/128'],
          ...options.router,
          ...router,
          adminListen,
          jsPath,
        },
      ),
    );

  let nginx: ChildProcess;
  try {
    await copyBundle(jsPath);
    await write({});
    nginx = await startNginx(found.bin, directory, log, () => answers(admin));
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }

  const workerPids = () => childrenOf(nginx.pid ?? 0);
  return {
    directory,
    publicSocket,
    adminAddress,
    admin,
    pid: () => nginx.pid ?? 0,
    workerPids,
    errorLog: () => readFile(log, 'utf8'),
    async reload(router = {}) {
      const before = await workerPids();
      await write(router);
      nginx.kill('SIGHUP');
      await until('the old workers to take nothing new', async () => {
        return (await Promise.all(before.map(isShuttingDown))).every(Boolean);
      });
      await until('the admin API after a reload', () => answers(admin));
    },
    async kill() {
      const exited = new Promise((resolve) => nginx.once('exit', resolve));
      // Stopped, it starts no worker that we would not know of.
      nginx.kill('SIGSTOP');
      const workers = await workerPids();
      nginx.kill('SIGKILL');
      await exited;
      for (const pid of workers) killIfThere(pid);
      await Promise.all(
        [publicSocket, join(directory, 'admin.sock')].map((socket) => rm(socket, { force: true })),
      );
    },
    async restart() {
      await endNginx(nginx);
      nginx = await startNginx(found.bin, directory, log, () => answers(admin));
    },
    async stop() {
      await endNginx(nginx);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function answers(admin: Admin): Promise<boolean> {
  return admin.call('GET', '/v1/health').then(
    (answer) => answer.status > 0,
    () => false,
  );
}

/** An nginx worker says in its title when it takes no new connections. */
async function isShuttingDown(pid: number): Promise<boolean> {
  const title = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return title === '' || title.includes('shutting down');
}

/** The direct children of a process, from Linux's /proc. */
async function childrenOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

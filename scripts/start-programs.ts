import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../daemon/config.ts';
import { openRecords } from '../daemon/runtime/process/records.ts';
import { stopSession } from '../daemon/runtime/process/stop.ts';
import { ROUTER_BUNDLE } from './build.ts';
import { nginxFor, root } from './nginx.ts';
import { renderNginx, writeFiles } from './render.ts';
import { hotBundleOf, PRIVATE_NETWORKS, placeOf, type RouterSettings } from './router-settings.ts';
import type { StartOptions } from './start-options.ts';
import type { Program } from './supervise.ts';

const adminSocket = 'admin.sock';
const errorLog = 'nginx-error.log';

/** How the daemon names the router of a scratch folder. */
export function adminAddress(scratch: string): string {
  return `unix:${join(scratch, adminSocket)}`;
}

/** How the sessions of this daemon are reached, and where they may be. */
export function sessionsOf({ publicUrl, mode, runtime }: Config) {
  const backends =
    runtime.kind === 'process'
      ? [`127.0.0.1:${runtime.ports.first}-${runtime.ports.last}`]
      : PRIVATE_NETWORKS;
  return { ...placeOf(publicUrl, mode), backends };
}

/** Writes all that the router's nginx reads into its scratch folder. `apiUrl` is for the page at `/`. */
export async function writeRouter(
  scratch: string,
  options: StartOptions,
  sessions: Pick<RouterSettings, 'mode' | 'hostSuffix' | 'backends'>,
  apiUrl: string,
): Promise<void> {
  const jsPath = join(scratch, 'spawner.js');
  copyFileSync(ROUTER_BUNDLE, jsPath);
  copyFileSync(hotBundleOf(ROUTER_BUNDLE), hotBundleOf(jsPath));
  const { host, port } = options.publicListen;
  const nginx = nginxFor();
  const files = renderNginx(
    {
      module: nginx.module,
      workers: options.routerWorkers,
      listen: `${host.includes(':') ? `[${host}]` : host}:${port}`,
      tls: options.tls,
      // Workers of root's nginx would otherwise be nobody, who may not enter the scratch folder.
      user: process.getuid?.() === 0 ? 'root' : undefined,
      directory: scratch,
      errorLog: join(scratch, errorLog),
      apiUrl,
    },
    {
      ...sessions,
      jsPath,
      adminListen: adminAddress(scratch),
      routesZoneSize: options.routesZoneSize,
      activityZoneSize: times(options.routesZoneSize, workerCount(options)),
      connectionsPerSession: options.connectionsPerSession,
      trustedProxies: options.trustedProxies,
      allowedOrigins: options.allowedOrigins,
      nginxVersion: nginx.version,
    },
  );
  await writeFiles(scratch, files, 0o600);
}

export function nginxProgram(scratch: string): Program {
  const args = ['-p', scratch, '-c', join(scratch, 'nginx.conf'), '-e', join(scratch, errorLog)];
  return {
    name: 'nginx',
    start: () => spawnTied('TERM', nginxFor().bin, args),
    // A killed nginx leaves its socket, which the next one could not bind.
    tidy: () => rmSync(join(scratch, adminSocket), { force: true }),
    explains: false,
    endsGroup: true,
  };
}

/** `: ` and what nginx last said was wrong, if anything. */
export function lastComplaint(scratch: string): string {
  const path = join(scratch, errorLog);
  const log = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const complaint = [...log.matchAll(/\[(?:emerg|alert|crit)\] (?:\d+#\d+: )?(.*)/g)].at(-1)?.[1];
  return complaint ? `: ${complaint}` : '';
}

/** Sessions outlive a killed daemon: the next one finds them again. */
export function daemonProgram(flags: string[]): Program {
  const main = join(root, 'daemon', 'main.ts');
  return {
    name: 'the daemon',
    start: () => spawnTied('INT', process.execPath, [main, ...flags]),
    tidy: () => undefined,
    explains: true,
    endsGroup: false,
  };
}

/** Ends the sessions that a daemon left running because it was killed and not started again. */
export async function endLeftSessions(stateDir: string): Promise<void> {
  const records = await openRecords(join(stateDir, 'sessions'));
  for (const session of await records.readAll()) {
    await stopSession(session.id, session.process, 0);
    await records.remove(session.id);
  }
}

/**
 * Starts a program in a process group of its own, so that Ctrl-C reaches only us, who end it in order.
 * Should we be killed, the kernel sends it `signal`.
 */
function spawnTied(signal: string, command: string, args: string[]): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', signal, '--', command, ...args], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function workerCount({ routerWorkers }: StartOptions): number {
  return routerWorkers === 'auto' ? availableParallelism() : routerWorkers;
}

/** Every worker counts the sessions that it serves, each in about the room of a route. */
function times(size: string, count: number): string {
  return `${Number.parseInt(size, 10) * count}${size.slice(-1)}`;
}

/** Starts the daemon: the only place that reads argv and the environment, and that wires the parts together. */
import { createServer } from 'node:http';
import path from 'node:path';
import { CommanderError } from 'commander';
import pino from 'pino';
import { createApi } from './api/api.ts';
import { isLoopback, parseConfig } from './config.ts';
import { ConfigError } from './errors.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createReaper } from './reaper.ts';
import { createReconciler } from './reconciler.ts';
import { createRouterClient } from './routers/router-client.ts';
import { createRouters } from './routers/routers.ts';
import { createProcessRuntime } from './runtime/process/process-runtime.ts';
import { createSessionStore } from './session-store.ts';
import { takeStateFolder } from './state-folder.ts';
import { readAppStatus } from './status/app-status.ts';
import { createRouterUse } from './status/router-use.ts';

const now = () => performance.now();
const SAME_CTRL_C_MS = 1_000;

async function main(): Promise<void> {
  const config = parseConfig(process.argv.slice(2));
  const log = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  const { publicUrl } = config;
  await takeStateFolder(config.stateDir);

  const runtime = await createProcessRuntime({
    command: config.applicationCommand,
    dir: path.join(config.stateDir, 'sessions'),
    ports: config.ports,
    publicUrl,
    stopGraceMs: config.stopGraceMs,
    inheritedEnv: process.env,
    log,
  });
  const store = createSessionStore();
  const routers = createRouters({
    connect: (address) => createRouterClient(address, config.routerToken),
    log,
    now,
    filled: (seconds) => metrics.routerFilled(seconds),
  });
  const metrics: Metrics = createMetrics({ sessionsByState: store.countByState, routers: routers.status });
  const reconciler = createReconciler({
    store,
    runtime,
    routers,
    metrics,
    log,
    startTimeoutMs: config.startTimeoutMs,
  });
  const routerUse = createRouterUse(routers, store.usable, now);
  const policy = {
    idleTimeoutMs: config.idleTimeoutMs,
    maxLifetimeMs: config.maxLifetimeMs,
    mostMisses: config.statusMisses,
  };
  const source = config.status;
  const reaper = createReaper({
    store,
    reconciler,
    routerUse,
    source,
    readAppStatus,
    policy,
    now,
    metrics,
    log,
  });
  const api = createApi({
    init: { store, reconciler, metrics, publicUrl, maxSessions: config.maxSessions },
    sessions: {
      store,
      reconciler,
      reaper,
      runtime,
      view: { publicUrl, source, policy },
      now,
      endPatienceMs: config.stopGraceMs + 5_000,
    },
    metrics,
    routers: routers.status,
    notReady: () => (routers.synced() ? undefined : 'No router holds all routes yet.'),
    token: config.apiToken,
    exposed: !isLoopback(config.listen.host),
    log,
  });

  const server = createServer(api.callback());
  let stoppingSince: number | undefined;
  async function stop(cause: string, endSessions: boolean): Promise<void> {
    if (stoppingSince !== undefined) {
      // Asked again: whoever does not want to wait need not. One Ctrl-C may come twice at once, also through npm.
      if (now() - stoppingSince > SAME_CTRL_C_MS) process.exit(1);
      return;
    }
    stoppingSince = now();
    log.info({ cause, endSessions }, 'daemon stops');
    server.close();
    reaper.stop();
    if (endSessions) await reconciler.endAll();
    reconciler.stop();
    runtime.close();
    await routers.stop();
    process.exit(0);
  }
  // A service manager's SIGTERM may be followed by a new daemon, which finds the sessions again. Ctrl-C means that all
  // is over.
  process.on('SIGTERM', () => void stop('SIGTERM', false));
  process.on('SIGINT', () => void stop('SIGINT', true));

  // Routers are told of what lives only when all of it is known: until then they go on as they are.
  await reconciler.start();
  routers.follow(config.routers.map((address) => ({ address, discovered: false })));
  reaper.start();
  await listen(server, config.listen);
  log.info({ api: server.address(), routers: config.routers, stateDir: config.stateDir }, 'daemon listens');
}

function listen(
  server: ReturnType<typeof createServer>,
  address: { host: string; port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE' ? 'is taken: end what listens there, or choose another' : error.message;
      reject(new ConfigError(`--listen ${address.host}:${address.port} ${why}`));
    });
    server.listen(address.port, address.host, resolve);
  });
}

main().catch((error: Error) => {
  if (error instanceof CommanderError) process.exit(error.exitCode); // it has printed its line
  if (error instanceof ConfigError) {
    process.stderr.write(`error: ${error.message}\n`);
    process.exit(2);
  }
  process.stderr.write(`error: the daemon could not start: ${error.message}\n`);
  process.exit(1);
});

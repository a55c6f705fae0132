/** Starts the daemon: the only place that reads argv and the environment, and that wires the parts together. */
import { createServer } from 'node:http';
import path from 'node:path';
import { CommanderError } from 'commander';
import pino, { type Logger } from 'pino';
import { createAccessTokens } from './access-tokens.ts';
import { createApi } from './api/api.ts';
import { type Config, isLoopback, parseConfig } from './config.ts';
import { ConfigError } from './errors.ts';
import type { Connection } from './kubernetes/connection.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createReaper } from './reaper.ts';
import { createReconciler } from './reconciler.ts';
import { followRouters, isService } from './routers/follow-routers.ts';
import { createRouterClient } from './routers/router-client.ts';
import { createRouters, type Routers } from './routers/routers.ts';
import { createProcessRuntime } from './runtime/process/process-runtime.ts';
import type { Runtime } from './runtime/runtime.ts';
import { createSessionStore } from './session-store.ts';
import { takeStateFolder } from './state-folder.ts';
import { createRouterUse } from './status/router-use.ts';
import { createSignalReader } from './status/source.ts';
import { keptSecret } from './token-secret.ts';

const now = () => performance.now();
const SAME_CTRL_C_MS = 1_000;

async function main(): Promise<void> {
  const config = parseConfig(process.argv.slice(2));
  const log = pino({ level: config.logLevel }, pino.destination({ dest: 2, sync: true }));
  const { publicUrl } = config;
  let waitsFor: string | undefined = 'The daemon is starting.';

  const store = createSessionStore();
  const routers = createRouters({
    connect: (address) => createRouterClient(address, config.routerToken),
    log,
    now,
    mode: config.mode,
    refused: (ids) => reconciler.lookAt(ids),
    filled: (seconds) => metrics.routerFilled(seconds),
  });
  const metrics: Metrics = createMetrics({ sessionsByState: store.countByState, routers: routers.status });
  const cluster = usesCluster(config) ? await connectCluster(metrics) : undefined;
  const waiting = (reason: string) => {
    waitsFor = `The cluster can't be used yet: ${reason}`;
  };
  const runtime = await createRuntime(config, cluster, log, waiting);
  const tokens = createAccessTokens(await tokenSecretOf(config));
  const reconciler = createReconciler({
    store,
    runtime,
    routers,
    tokens,
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
  const readSignal = createSignalReader(config.status, routerUse);
  const reaper = createReaper({
    store,
    reconciler,
    routerUse,
    readSignal,
    policy,
    now,
    metrics,
    log,
  });
  const started = Promise.withResolvers<void>();
  const api = createApi({
    init: {
      store,
      reconciler,
      metrics,
      publicUrl,
      tokens,
      requireToken: config.requireToken,
      maxSessions: config.maxSessions,
      allowance: config.runtime.kind === 'kubernetes' ? config.runtime.allowance : undefined,
    },
    sessions: {
      store,
      reconciler,
      reaper,
      runtime,
      view: { publicUrl, policy },
      tokens,
      now,
      endPatienceMs: config.endPatienceMs,
    },
    metrics,
    routers: routers.status,
    started: started.promise,
    notReady: () => waitsFor ?? unsynced(routers),
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
    const left = endSessions ? await reconciler.endAll(config.endPatienceMs) : [];
    if (left.length > 0) log.error({ sessions: left }, 'sessions could not be ended in time');
    reconciler.stop();
    await Promise.all([runtime.close(), routers.stop()]);
    process.exit(left.length === 0 ? 0 : 1);
  }
  // A service manager's SIGTERM may be followed by a new daemon, which finds the sessions again. Ctrl-C means that all
  // is over.
  process.on('SIGTERM', () => void stop('SIGTERM', false));
  process.on('SIGINT', () => void stop('SIGINT', true));

  await listen(server, config.listen);
  log.info(
    { api: server.address(), routers: config.routers, runtime: config.runtime.kind },
    'daemon listens',
  );
  // Routers are told of what lives only when all of it is known: until then they go on as they are.
  await reconciler.start();
  await followRouters(config.routers, routers, cluster, log);
  reaper.start();
  waitsFor = undefined;
  started.resolve();
}

function unsynced(routers: Routers): string | undefined {
  if (routers.synced()) return undefined;
  const problems = routers.status().filter(({ problem }) => problem !== undefined);
  return [
    'No router holds all routes yet.',
    ...problems.map(({ address, problem }) => `Router ${address} ${problem}.`),
  ].join(' ');
}

async function tokenSecretOf({ tokenSecret, runtime }: Config): Promise<string | undefined> {
  return tokenSecret ?? (runtime.kind === 'process' ? keptSecret(runtime.stateDir) : undefined);
}

function usesCluster({ runtime, routers }: Config): boolean {
  return runtime.kind === 'kubernetes' || routers.some(isService);
}

// The client of Kubernetes takes half of what a daemon does that has no session yet: who needs none does not load it.
async function connectCluster(metrics: Metrics): Promise<Connection> {
  const { connect, loadKubeConfig } = await import('./kubernetes/connection.ts');
  return connect(loadKubeConfig(process.env), metrics.clusterCalled);
}

async function createRuntime(
  { runtime, publicUrl, stopGraceMs }: Config,
  cluster: Connection | undefined,
  log: Logger,
  waiting: (reason: string) => void,
): Promise<Runtime> {
  if (runtime.kind === 'process') {
    const { command, ports, stateDir } = runtime;
    await takeStateFolder(stateDir);
    const dir = path.join(stateDir, 'sessions');
    return createProcessRuntime({
      command,
      dir,
      ports,
      publicUrl,
      stopGraceMs,
      inheritedEnv: process.env,
      log,
    });
  }
  const { createInCluster } = await import('./runtime/kubernetes/in-cluster.ts');
  const connection = cluster as Connection;
  return createInCluster({ settings: runtime, connection, publicUrl, stopGraceMs, now, waiting, log });
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

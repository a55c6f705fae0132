import { createServer } from 'node:http';
import type { V1Pod, V1Service } from '@kubernetes/client-node';
import type { ExecutionContext } from 'ava';
import pLimit from 'p-limit';
import { WebSocketServer } from 'ws';
import { type Daemon, startDaemon } from '../../support/daemon.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { type Address, type Answer, ask, type Call } from '../../support/http.ts';
import type { KubeApi } from '../../support/kube-api.ts';
import { type PlayedKubelet, playKubelet } from '../../support/played-kubelet.ts';
import { until } from '../../support/poll.ts';
import { reservePorts } from '../../support/ports.ts';
import { type Router, startRouter } from '../../support/router.ts';
import type { SessionView } from '../../support/world.ts';

export interface ApiWorldOptions {
  /** Beside those that place it; a later one wins. */
  flags?: string[];
  /** Whom the daemon is for the API server; else the administrator. */
  token?: string;
  /** Starts without a daemon: the test starts it. */
  idle?: boolean;
  /** The router keeps connections to Pods that this DNS server names by the Services of shards, as `service` has it. */
  dns?: { address: Address; service: string };
}

/**
 * Router, daemon and a namespace of one test: real nginx, real daemon, a real API server behind a proxy that can fail.
 * No kubelet runs: the test plays it, and gives Pods addresses of loopback where apps of this process listen.
 */
export interface ApiWorld {
  namespace: string;
  /** Where apps listen. */
  port: number;
  router: Router;
  daemon: Daemon;
  proxy: FaultProxy;
  kubelet: PlayedKubelet;
  /** POST /init that is expected to succeed. */
  init(body?: unknown): Promise<SessionView>;
  /** All that the daemon knows of, the ended ones too; none while it starts. */
  sessions(): Promise<ListedSession[]>;
  until(id: string, state: string): Promise<void>;
  visit(id: string, rest?: string, call?: Call): Promise<Answer>;
  /** Starts an app that answers with `text` and echoes over WebSocket; the address for a Pod that it stands for. */
  app(text: string): Promise<string>;
  /** Has the session's Pod run such an app, Ready. */
  serve(id: string, text: string): Promise<string>;
  /** Ids that the router leads somewhere, in order. */
  routes(): Promise<string[]>;
  pods(): Promise<V1Pod[]>;
  pod(id: string): Promise<V1Pod | undefined>;
  services(): Promise<V1Service[]>;
  /** Waits until the Pod is being deleted, plays its end, and waits until nothing of it is left. */
  untilGone(id: string): Promise<void>;
  /**
   * Waits until all agree: each living session has its Pod, its Service and its route, and there is nothing else.
   * Returns their ids, in order.
   */
  untilSound(): Promise<string[]>;
  /** Starts the daemon, anew if it has ended. Flags that are given now win. */
  startDaemon(flags?: string[]): Promise<Daemon>;
  /** Starts it anew and waits until it is ready. */
  restart(flags?: string[]): Promise<void>;
}

/** What `GET /sessions` says of one. */
export interface ListedSession extends SessionView {
  failure?: { code: string; message: string };
}

// Each world is an nginx, a daemon and apps: too many at a time on a small machine, and nothing is on time any more.
const worlds = pLimit(3);

/** Waits until another test of this file has ended, if too many run. */
function turn(t: ExecutionContext): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  t.teardown(ended.resolve);
  void worlds(() => {
    resolve();
    return ended.promise;
  });
  return promise;
}

export async function startApiWorld(
  t: ExecutionContext,
  kube: KubeApi,
  options: ApiWorldOptions = {},
): Promise<ApiWorld> {
  await turn(t);
  const namespace = await kube.namespace();
  const proxy = await startFaultProxy(kube, options.token ?? kube.adminToken);
  const ports = await reservePorts();
  const port = ports.first;
  const { dns } = options;
  const dnsPool = dns && { service: dns.service, port, resolvers: [dns.address] };
  const router = await startRouter({ router: { dnsPool } });
  const flags = [
    ...['--router', `unix:${router.adminAddress}`, '--public-url', 'http://spawner.test'],
    ...['--application-image', 'my-app:1', '--application-port', String(port), '--namespace', namespace],
    // None is reaped because a test takes long.
    ...['--stop-grace', '1s', '--idle-timeout', '10m', ...(options.flags ?? [])],
  ];
  const closings: (() => Promise<unknown>)[] = [];
  let daemon: Daemon | undefined;
  t.teardown(async () => {
    if (!t.passed) t.log(`daemon:\n${withoutPolls(daemon?.log())}\nnginx:\n${await router.errorLog()}`);
    await daemon?.end('SIGKILL');
    await Promise.all([router.stop(), proxy.stop(), ...closings.map((close) => close())]);
    ports.release();
  });

  const start = async (more: string[] = []) => {
    daemon = await startDaemon([...flags, ...more], { KUBECONFIG: proxy.kubeconfig });
    return daemon;
  };
  const api: Daemon['api'] = (...call) => (daemon as Daemon).api(...call);
  const core = kube.core;
  let apps = 0;

  const world: ApiWorld = {
    namespace,
    port,
    router,
    proxy,
    get daemon() {
      return daemon as Daemon;
    },
    kubelet: playKubelet(core, namespace),
    async init(body) {
      const answer = await api('POST', '/init', body);
      if (answer.status !== 201) throw new Error(`/init answered ${answer.status}: ${answer.body}`);
      return answer.json;
    },
    sessions: async () => (await api('GET', '/sessions?limit=1000')).json.sessions ?? [],
    // Not by GET /sessions/:id, which asks the cluster for the app's output each time.
    until: async (id, state) => {
      await until(`session ${state}`, async () =>
        (await world.sessions()).some((session) => session.id === id && session.state === state),
      );
    },
    visit: (id, rest = '', call = {}) => ask(router.publicSocket, `/p/${id}/${rest}`, call),
    async app(text) {
      apps += 1;
      const host = `127.0.${1 + (apps >> 8)}.${apps & 255}`;
      const server = createServer((_, response) => void response.end(text));
      new WebSocketServer({ server }).on('connection', (socket) => {
        socket.on('message', (data) => socket.send(String(data)));
      });
      await new Promise<void>((resolve) => server.listen(port, host, resolve));
      closings.push(async () => {
        server.closeAllConnections();
        server.close();
      });
      return host;
    },
    async serve(id, text) {
      const host = await world.app(text);
      await world.kubelet.assign(`session-${id}`);
      await world.kubelet.running(`session-${id}`, host);
      return host;
    },
    async routes() {
      const { body } = await router.admin.call('GET', '/v1/routes');
      const routes = Object.entries<[string, number, string]>(body.routes);
      return routes
        .filter(([, [state]]) => state !== 'gone')
        .map(([id]) => id)
        .sort();
    },
    pods: async () => (await core.listNamespacedPod({ namespace })).items,
    pod: async (id) => (await world.pods()).find(({ metadata }) => metadata?.name === `session-${id}`),
    services: async () => (await core.listNamespacedService({ namespace })).items,
    async untilGone(id) {
      const name = `session-${id}`;
      const going = await until('the Pod to be deleted', async () => {
        const pod = await world.pod(id);
        return pod === undefined ? 'gone' : pod.metadata?.deletionTimestamp && 'going';
      });
      if (going === 'going') await world.kubelet.gone(name);
      await until('Pod and Service to be gone', async () => {
        const left = [...(await world.pods()), ...(await world.services())];
        return !left.some(({ metadata }) => metadata?.name === name);
      });
    },
    async untilSound() {
      const named = (objects: (V1Pod | V1Service)[]) =>
        objects.map(({ metadata }) => metadata?.name?.replace('session-', '') ?? '').sort();
      let seen = {};
      const living = await until('sessions, Pods, Services and routes to agree', async () => {
        const sessions = (await world.sessions()).filter(({ state }) => !['failed', 'gone'].includes(state));
        const ids = sessions.map(({ id }) => id).sort();
        const others = [named(await world.pods()), named(await world.services()), await world.routes()];
        seen = { ids, others };
        return others.every((other) => other.join() === ids.join()) && { ids };
      }).catch((error) => {
        throw new Error(`${error.message}: ${JSON.stringify(seen)}`);
      });
      return living.ids;
    },
    startDaemon: start,
    async restart(more) {
      await start(more);
      await until('the daemon to be ready', async () => (await api('GET', '/readyz')).status === 200, 30);
    },
  };
  if (!options.idle) await world.restart();
  return world;
}

/** What a test asks again and again hides the rest. */
function withoutPolls(log = ''): string {
  return log
    .split('\n')
    .filter((line) => !line.includes('"method":"GET"'))
    .join('\n');
}

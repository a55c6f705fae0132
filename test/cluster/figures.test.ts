import { Watch } from '@kubernetes/client-node';
import test from 'ava';
import pLimit from 'p-limit';
import { ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { isOwnCluster, theCluster } from './support/cluster.ts';
import { type Installation, install } from './support/install.ts';
import { type Memory, memoryOf } from './support/memory.ts';
import { reach } from './support/reach.ts';

const SESSIONS = 40;
const AT_A_TIME = 4;
const GONE_SECONDS = 150;

let spawner: Installation;
test.before(async () => {
  spawner = await install({ SPAWNER_STOP_GRACE: '1s', SPAWNER_MAX_CPU: '1' });
});
test.after.always(() => spawner?.remove());

test.serial('what a session costs', async (t) => {
  t.teardown(async () => {
    if (!t.passed) t.log(await spawner.dump());
  });
  const daemon = await reach(t, { namespace: 'spawner', kind: 'service', name: 'spawner-daemon', port: 80 });
  const router = await reach(t, { namespace: 'spawner', kind: 'service', name: 'spawner-router', port: 80 });
  const headers = { authorization: `Bearer ${spawner.apiToken}`, 'content-type': 'application/json' };
  // So that all of them fit on one small node.
  const body = JSON.stringify({ resources: { requests: { cpu: '1m' } } });
  const callsBefore = await apiCalls(daemon, headers);
  const readyAt = await watchReady(t);

  const ids: string[] = [];
  const delays: number[] = [];
  const measure = async () => {
    const { id } = JSON.parse((await ask(daemon, '/init', { method: 'POST', headers, body })).body);
    ids.push(id);
    // Held until the daemon has told the router that the Pod is Ready.
    const { status } = await ask(router, `/p/${id}/session`);
    const servedAt = performance.now();
    t.is(status, 200);
    await until('the watch to tell', () => readyAt.get(id));
    delays.push(servedAt - (readyAt.get(id) as number));
  };
  const limit = pLimit(AT_A_TIME);
  await Promise.all(Array.from({ length: SESSIONS }, () => limit(measure)));
  const order = delays.sort((a, b) => a - b).map((ms) => Math.round(ms));
  const at = (quantile: number) => order[Math.ceil(quantile * order.length) - 1];
  t.log(`Pod Ready until its URL is served: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, of ${SESSIONS}`);
  if (isOwnCluster) t.log(await memories(ids.slice(0, 10)));

  const end = (id: string) => ask(daemon, `/sessions/${id}`, { method: 'DELETE', headers });
  // A kubelet that ends many at once takes longer than one answer waits.
  const ended = (id: string) =>
    until(`session ${id} to end`, async () => (await end(id)).status === 204, GONE_SECONDS);
  await Promise.all(ids.map(ended));
  const calls = (await apiCalls(daemon, headers)) - callsBefore;
  t.log(`API calls per session life: ${(calls / SESSIONS).toFixed(2)}`);
  t.true(calls >= 3 * SESSIONS, 'a Pod made, a Service made, a Pod deleted');
  t.true(calls <= 6 * SESSIONS);
});

/** When this process heard of each session's Pod that it is Ready. */
async function watchReady(t: { teardown(end: () => void): void }): Promise<Map<string, number>> {
  const readyAt = new Map<string, number>();
  const watch = new Watch(theCluster().config);
  const path = '/api/v1/namespaces/spawner-sessions/pods';
  const stop = await watch.watch(
    path,
    {},
    (_, pod) => {
      const id = pod.metadata.labels['spawner/session'];
      const isReady = pod.status.conditions?.some(
        (one: { type: string; status: string }) => one.type === 'Ready' && one.status === 'True',
      );
      if (isReady && !readyAt.has(id)) readyAt.set(id, performance.now());
    },
    () => {},
  );
  t.teardown(() => stop.abort());
  return readyAt;
}

/** The daemon's calls of the API server so far, but for watches and the Lease that it renews. */
async function apiCalls(daemon: string, headers: Record<string, string>): Promise<number> {
  const { body } = await ask(daemon, '/metrics', { headers });
  const series = body.matchAll(/^spawner_kubernetes_requests_total\{(.*)\} (\d+)$/gm);
  return [...series]
    .filter(([, labels = '']) => !labels.includes('resource="leases"'))
    .reduce((sum, [, , count]) => sum + Number(count), 0);
}

async function memories(ids: string[]): Promise<string> {
  const { core } = theCluster();
  const sessions = (await core.listNamespacedPod({ namespace: 'spawner-sessions' })).items;
  const sidecars = sessions.filter(({ metadata }) =>
    ids.includes(metadata?.labels?.['spawner/session'] ?? ''),
  );
  const own = (await core.listNamespacedPod({ namespace: 'spawner' })).items;
  const component = (name: string) =>
    own.filter(({ metadata }) => metadata?.labels?.['app.kubernetes.io/component'] === name);
  const line = async (name: string, pods: typeof own, container: string) =>
    `${name}: ${mean(await Promise.all(pods.map((pod) => memoryOf(pod, container))))}`;
  return [
    await line('sidecar', sidecars, 'spawner-sidecar'),
    await line('router', component('router'), 'router'),
    await line('daemon', component('daemon'), 'daemon'),
  ].join('\n');
}

function mean(all: Memory[]): string {
  const of = (name: keyof Memory) =>
    (all.reduce((sum, one) => sum + one[name], 0) / all.length / 2 ** 20).toFixed(1);
  return `PSS ${of('pss')} MiB, RSS ${of('rss')}, anonymous ${of('anonymous')}`;
}

import { CoreV1Api, type V1Pod } from '@kubernetes/client-node';
import test, { type ExecutionContext } from 'ava';
import pino from 'pino';
import { createWatched, type Watched } from '../../../daemon/kubernetes/watched.ts';
import { until } from '../../support/poll.ts';
import { type CollectionApi, collectionApi } from '../routers/collection-api.ts';

const NAMESPACE = 'sessions';

function watch(t: ExecutionContext, { kubeConfig }: CollectionApi): Watched<V1Pod> {
  const api = kubeConfig.makeApiClient(CoreV1Api);
  const pods = createWatched<V1Pod>({
    list: (page) => api.listNamespacedPod({ namespace: NAMESPACE, ...page }),
    path: `/api/v1/namespaces/${NAMESPACE}/pods`,
    kubeConfig,
    changed() {},
    log: pino({ level: 'silent' }),
  });
  t.teardown(pods.close);
  return pods;
}

test('what is remembered of thousands of objects holds what the server said, and not who had said it', async (t) => {
  const server = await collectionApi(t, 'pods', NAMESPACE);
  const pods = watch(t, server);
  const status = { startTime: '2026-01-01T00:00:00Z' };
  const metadata = { labels: { team: 'blue' }, managedFields: [{ manager: 'kubelet' }] };
  server.set('listed', { status, metadata });
  await pods.start();
  await until('the watch', () => server.requests.some((request) => request.includes('watch=true')));
  server.set('watched', { status, metadata });
  await until('its news', () => pods.get('watched'));
  const [listed, watched] = [pods.get('listed'), pods.get('watched')];
  t.deepEqual(Object.keys(listed ?? {}).sort(), ['metadata', 'status']);
  const kept = ['labels', 'name', 'namespace', 'resourceVersion', 'uid'];
  for (const pod of [listed, watched]) t.deepEqual(Object.keys(pod?.metadata ?? {}).sort(), kept);
  t.deepEqual(Object.keys(listed?.status ?? {}), ['startTime']);
  t.deepEqual(new Date(listed?.status?.startTime ?? 0), new Date(watched?.status?.startTime ?? 1));
});

test('thousands of objects are asked for page by page', async (t) => {
  const server = await collectionApi(t, 'pods', NAMESPACE);
  const names = Array.from({ length: 1_100 }, (_, index) => `pod-${index}`);
  for (const name of names) server.set(name, {});
  const pods = watch(t, server);
  await pods.start();
  t.deepEqual(
    pods
      .all()
      .map(({ metadata }) => metadata?.name)
      .sort(),
    names.sort(),
  );
  const lists = server.requests.filter((request) => !request.includes('watch=true'));
  t.is(lists.length, 3, lists.join());
});

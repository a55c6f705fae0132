import { CoreV1Api, type V1Pod } from '@kubernetes/client-node';
import test, { type ExecutionContext } from 'ava';
import pino from 'pino';
import { createWatched, type Watched } from '../../../daemon/kubernetes/watched.ts';
import { until } from '../../support/poll.ts';
import { type CollectionApi, collectionApi } from '../routers/collection-api.ts';

const NAMESPACE = 'sessions';

function watch(
  t: ExecutionContext,
  { kubeConfig }: CollectionApi,
  keep = (pod: V1Pod) => pod,
): Watched<V1Pod> {
  const api = kubeConfig.makeApiClient(CoreV1Api);
  const pods = createWatched<V1Pod>({
    list: (page) => api.listNamespacedPod({ namespace: NAMESPACE, ...page }),
    path: `/api/v1/namespaces/${NAMESPACE}/pods`,
    kubeConfig,
    keep,
    changed() {},
    log: pino({ level: 'silent' }),
  });
  t.teardown(pods.close);
  return pods;
}

test('of an object, what is to be kept is remembered, however it came', async (t) => {
  const server = await collectionApi(t, 'pods', NAMESPACE);
  const pods = watch(t, server, (pod) => ({ ...pod, status: { phase: 'short' } }));
  const status = { phase: 'long', message: 'long' };
  server.set('listed', { status });
  await pods.start();
  await until('the watch', () => server.requests.some((request) => request.includes('watch=true')));
  server.set('watched', { status });
  await until('its news', () => pods.get('watched'));
  pods.put({ metadata: { name: 'told' }, status });
  t.is(pods.all().length, 3);
  for (const pod of pods.all()) t.deepEqual(pod.status, { phase: 'short' }, pod.metadata?.name);
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

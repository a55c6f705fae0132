import test from 'ava';
import { connect } from '../../../daemon/kubernetes/connection.ts';
import { collectionApi } from '../routers/collection-api.ts';

const NAMESPACE = 'sessions';

test('a list holds what the server said, and where the next page begins', async (t) => {
  const { kubeConfig, set } = await collectionApi(t, 'pods', NAMESPACE);
  const spec = { containers: [{ name: 'app' }] };
  for (const name of ['one', 'two', 'three']) set(name, { spec });
  const { api } = connect(kubeConfig, () => {});
  const first = await api.listNamespacedPod({ namespace: NAMESPACE, limit: 2 });
  t.deepEqual(
    first.items.map((pod) => pod.spec),
    [spec, spec],
  );
  const _continue = first.metadata?._continue as string;
  t.is(typeof _continue, 'string');
  const last = await api.listNamespacedPod({ namespace: NAMESPACE, limit: 2, _continue });
  t.deepEqual(
    last.items.map(({ metadata }) => metadata?.name),
    ['three'],
  );
  t.is(last.metadata?._continue, undefined);
});

test('a list that is refused is the error that any call is', async (t) => {
  const { kubeConfig } = await collectionApi(t, 'pods', NAMESPACE);
  const { api } = connect(kubeConfig, () => {});
  await t.throwsAsync(api.listNamespacedPod({ namespace: 'another' }), { name: 'Error', message: /404/ });
});

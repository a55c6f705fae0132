import { type ApiException, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import test from 'ava';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { playKubelet } from '../../support/played-kubelet.ts';
import { until } from '../../support/poll.ts';

let api: KubeApi;
test.before(async () => {
  api = await startKubeApi({ controllers: true });
});
test.after.always(() => api?.stop());

const pod = (name: string) => ({
  metadata: { name },
  spec: { containers: [{ name: 'app', image: 'none' }] },
});

test('a user without a role may do nothing', async (t) => {
  const config = new KubeConfig();
  config.loadFromFile(api.userKubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const error = await t.throwsAsync(core.listNamespacedPod({ namespace: 'default' }));
  t.is((error as ApiException<string>).code, 403);
});

test('a played kubelet says of a Pod what a real one would', async (t) => {
  const namespace = await api.namespace();
  const kubelet = playKubelet(api.core, namespace);
  const name = 'one';
  const read = () => api.core.readNamespacedPod({ name, namespace });
  await api.core.createNamespacedPod({ namespace, body: pod(name) });
  await kubelet.unschedulable(name, 'no node is large enough');
  t.is((await read()).status?.conditions?.[0]?.reason, 'Unschedulable');
  await kubelet.assign(name);
  await kubelet.waiting(name, 'ImagePullBackOff', 'no such image');
  t.is((await read()).status?.containerStatuses?.[0]?.state?.waiting?.reason, 'ImagePullBackOff');
  await kubelet.running(name, '10.1.2.3');
  const running = (await read()).status;
  t.like(running, { phase: 'Running', podIP: '10.1.2.3' });
  t.is(running?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  await kubelet.running(name, '10.1.2.4', false);
  t.is((await read()).status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'False');
  await kubelet.terminated(name, 'OOMKilled', 137);
  t.like((await read()).status?.containerStatuses?.[0]?.state?.terminated, { exitCode: 137 });

  await api.core.deleteNamespacedPod({ name, namespace });
  t.truthy((await read()).metadata?.deletionTimestamp);
  await kubelet.gone(name);
  t.is(((await t.throwsAsync(read())) as ApiException<string>).code, 404);
});

test('a Service goes with the Pod that owns it', async (t) => {
  const namespace = await api.namespace();
  const owner = await api.core.createNamespacedPod({ namespace, body: pod('owner') });
  const { uid = '' } = owner.metadata ?? {};
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: 'owner', uid }];
  const spec = { clusterIP: 'None', ports: [{ port: 80 }] };
  await api.core.createNamespacedService({
    namespace,
    body: { metadata: { name: 'owned', ownerReferences }, spec },
  });
  await api.core.deleteNamespacedPod({ name: 'owner', namespace });
  await until('the Service to go', async () => {
    const { items } = await api.core.listNamespacedService({ namespace });
    return items.length === 0;
  });
  t.pass();
});

test.serial('a pause refuses connections and forgets nothing', async (t) => {
  const name = await api.namespace();
  await api.pauseApi();
  const error = await t.throwsAsync(api.core.readNamespace({ name }));
  t.is((error.cause as NodeJS.ErrnoException).code, 'ECONNREFUSED');
  await api.resumeApi();
  t.is((await api.core.readNamespace({ name })).metadata?.name, name);
});

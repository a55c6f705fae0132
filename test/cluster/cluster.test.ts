import { CoreV1Api, type Cluster as KubeCluster, KubeConfig, type V1Pod } from '@kubernetes/client-node';
import test from 'ava';
import { ask } from '../support/http.ts';
import { kubeconfigOf } from '../support/kube-api.ts';
import { until } from '../support/poll.ts';
import { auditLog, startApiServer, stopApiServer } from './support/api-server.ts';
import { isOwnCluster, kubectl, namespaceFor, theCluster } from './support/cluster.ts';
import { dump } from './support/dump.ts';
import { reach } from './support/reach.ts';

const onOwnCluster = isOwnCluster ? test.serial : test.skip;

/** A web server that needs no image but that of the cluster's own build. */
const webServer = (name: string): V1Pod => ({
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      { name: 'app', image: 'spawner-busybox:1', command: ['httpd', '-f', '-p', '8080', '-h', '/bin'] },
    ],
  },
});

onOwnCluster('its node is Ready', async (t) => {
  const { items } = await theCluster().core.listNode();
  t.is(items.length, 1);
  t.is(items[0]?.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
});

onOwnCluster('a Pod runs, is reachable by its IP, and tells its story to a failing test', async (t) => {
  const { core } = theCluster();
  const namespace = await namespaceFor(t);
  const name = 'web';
  await core.createNamespacedPod({ namespace, body: webServer(name) });
  await until(
    'the Pod to run',
    async () => (await core.readNamespacedPod({ name, namespace })).status?.phase === 'Running',
    60,
  );
  const address = await reach(t, { namespace, kind: 'pod', name, port: 8080 });
  const answer = await until('the web server to answer', () =>
    ask(address, '/busybox').catch(() => undefined),
  );
  t.is(answer.status, 200);
  t.regex(await dump(namespace), /Started container app/);
});

onOwnCluster('its API server can be taken away, and comes back with all it knew', async (t) => {
  t.teardown(startApiServer);
  const namespace = await namespaceFor(t);
  await stopApiServer();
  await t.throwsAsync(kubectl('get', 'namespaces'), { message: /refused/ });
  await startApiServer();
  t.regex(await kubectl('get', 'namespaces'), new RegExp(namespace));
});

onOwnCluster('what service accounts of `spawner` ask for is written down', async (t) => {
  const { core, config } = theCluster();
  const namespace = 'spawner';
  const body = { metadata: { name: namespace } };
  await core.createNamespace({ body }).catch((error) => t.is(error.code, 409));
  const account = { namespace, name: 'default' };
  const { status } = await until('the service account', () =>
    core
      .createNamespacedServiceAccountToken({ ...account, body: { spec: { audiences: [] } } })
      .catch(() => undefined),
  );
  const asAccount = new KubeConfig();
  const { server, caData } = config.getCurrentCluster() as KubeCluster;
  asAccount.loadFromString(kubeconfigOf(server, status?.token ?? '', caData));
  await t.throwsAsync(asAccount.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: 'default' }));
  t.like((await auditLog()).at(-1), { verb: 'list', resource: 'pods', namespace: 'default', code: 403 });
});

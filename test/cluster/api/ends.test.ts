import test from 'ava';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { until } from '../../support/poll.ts';
import { startApiWorld } from '../support/api-world.ts';

let kube: KubeApi;
test.before(async () => {
  kube = await startKubeApi();
});
test.after.always(() => kube.stop());

test('Ctrl-C ends every session, whatever the API server answers at first', async (t) => {
  const world = await startApiWorld(t, kube);
  await Promise.all([world.init(), world.init(), world.init()]);
  world.proxy.plan({ method: 'DELETE' }, { answer: 500 }, { times: 4 });
  await world.daemon.end('SIGINT');
  t.is(world.daemon.process.exitCode, 0);
  t.deepEqual(await world.pods(), []);
});

test('Ctrl-C gives up on a cluster that is away, and says what is left', async (t) => {
  const world = await startApiWorld(t, kube);
  const { id } = await world.init();
  await world.proxy.away();
  await world.daemon.end('SIGINT');
  t.is(world.daemon.process.exitCode, 1);
  t.regex(
    world.daemon.log(),
    new RegExp(`"sessions":\\["${id}"\\],"msg":"sessions could not be ended in time"`),
  );
});

test('DELETE of a session that has failed waits for what is left of it, and leaves its reason', async (t) => {
  const world = await startApiWorld(t, kube);
  const { id } = await world.init();
  await world.kubelet.assign(`session-${id}`);
  await world.kubelet.terminated(`session-${id}`, 'Error', 3);
  await world.until(id, 'failed');
  const deleted = world.daemon.api('DELETE', `/sessions/${id}`);
  await until('the Pod to be deleted', async () => (await world.pod(id))?.metadata?.deletionTimestamp);
  await world.kubelet.gone(`session-${id}`);
  t.is((await deleted).status, 204);
  t.is(await world.pod(id), undefined);
  t.like((await world.daemon.api('GET', `/sessions/${id}`)).json, {
    state: 'failed',
    endReason: undefined,
    failure: { code: 'app_exited' },
  });
});

test('two Pods at one address: nobody is let in until it is clear whose it is', async (t) => {
  const world = await startApiWorld(t, kube);
  const { id: first } = await world.init();
  const host = await world.serve(first, 'app');
  await world.until(first, 'ready');
  // The watch says nothing any more: the end of the first Pod is not heard of.
  world.proxy.freeze({ path: /watch=true/ });
  await kube.core.deleteNamespacedPod({
    name: `session-${first}`,
    namespace: world.namespace,
    gracePeriodSeconds: 0,
  });
  const { id: second } = await world.init();
  await world.kubelet.assign(`session-${second}`);
  await world.kubelet.running(`session-${second}`, host);
  await world.until(second, 'ready');
  t.is((await world.daemon.api('GET', `/sessions/${first}`)).json.state, 'failed');
  t.is((await world.visit(first)).status, 410);
  t.is((await world.visit(second)).body, 'app');
});

import test from 'ava';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { until } from '../../support/poll.ts';
import { startApiWorld } from '../support/api-world.ts';

let kube: KubeApi;
test.before(async () => {
  kube = await startKubeApi({ controllers: true });
});
test.after.always(() => kube.stop());

test('a session is a Pod and a Service that the Pod owns, and goes with them', async (t) => {
  const world = await startApiWorld(t, kube);
  const { id, url } = await world.init({ labels: { team: 'blue' } });
  t.is(url, `http://spawner.test/p/${id}/`);
  const pod = await world.pod(id);
  t.is(pod?.metadata?.labels?.['spawner/session'], id);
  const [service] = await world.services();
  t.is(service?.metadata?.name, `session-${id}`);
  t.is(service?.metadata?.ownerReferences?.[0]?.uid, pod?.metadata?.uid);

  await world.serve(id, 'hello');
  await world.until(id, 'ready');
  t.is((await world.visit(id)).body, 'hello');

  const deleted = world.daemon.api('DELETE', `/sessions/${id}`);
  await until('the Pod to be deleted', async () => (await world.pod(id))?.metadata?.deletionTimestamp);
  t.is((await world.visit(id)).status, 410, 'the route goes first');
  await world.kubelet.gone(`session-${id}`);
  t.is((await deleted).status, 204);
  await until('the Service to go with its Pod', async () => (await world.services()).length === 0);
});

test('requests are held while a Pod is not Ready, and follow it to another address', async (t) => {
  const world = await startApiWorld(t, kube);
  const { id } = await world.init();
  const first = world.visit(id);
  await world.serve(id, 'one');
  t.is((await first).body, 'one', 'a request waits for the start');
  const other = await world.app('two');
  await world.kubelet.running(`session-${id}`, other, false);
  await world.until(id, 'starting');
  const second = world.visit(id);
  await world.kubelet.running(`session-${id}`, other, true);
  t.is((await second).body, 'two');
});

const isWatch = { path: /watch=true/ };

test('a session whose node is not heard of is served on', async (t) => {
  const world = await startApiWorld(t, kube);
  const { id } = await world.init();
  const host = await world.serve(id, 'hello');
  await world.until(id, 'ready');
  const says = (text: string) => until(text, () => world.daemon.log().includes(`"${text}"`), 20);
  await world.kubelet.unheard(`session-${id}`);
  await says('session in trouble');
  t.is((await world.visit(id)).body, 'hello');
  // As after an outage: what comes next is not missed.
  t.true(world.proxy.freeze(isWatch) > 0);
  await world.kubelet.running(`session-${id}`, host);
  await says('session out of trouble');
  t.is((await world.visit(id)).body, 'hello');
});

test('a session whose node is not heard of for too long has failed, even if nothing else was heard of it', async (t) => {
  const world = await startApiWorld(t, kube, { flags: ['--start-timeout', '10s'] });
  const { id } = await world.init();
  t.true(world.proxy.freeze(isWatch) > 0);
  await world.serve(id, 'hello');
  await world.kubelet.unheard(`session-${id}`);
  await world.until(id, 'ready');
  t.is((await world.visit(id)).body, 'hello');
  await world.until(id, 'failed');
  const lost = (await world.sessions()).find((session) => session.id === id);
  t.is(lost?.failure?.code, 'app_unready');
  t.is(
    lost?.failure?.message,
    'For 10 s (--start-timeout) the cluster has not heard of the node of the Pod.',
  );
  await world.untilGone(id);
});

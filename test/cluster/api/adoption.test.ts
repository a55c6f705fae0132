import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import test, { type ExecutionContext } from 'ava';
import pLimit from 'p-limit';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { until } from '../../support/poll.ts';
import { type ApiWorld, startApiWorld } from '../support/api-world.ts';
import { playNode } from '../support/played-node.ts';

let kube: KubeApi;
test.before(async () => {
  kube = await startKubeApi({ controllers: true });
});
test.after.always(() => kube?.stop());

const MANY = 500;

/** A world with so many sessions that are served. */
async function worldWith(t: ExecutionContext, count: number) {
  const world = await startApiWorld(t, kube);
  await playNode(t, kube, world.namespace, () => world.app('hello'));
  // As many as a small machine answers in time.
  const some = pLimit(20);
  const made = await Promise.all(Array.from({ length: count }, () => some(() => world.init())));
  await untilReady(world, count);
  return { world, ids: made.map(({ id }) => id).sort() };
}

async function untilReady(world: ApiWorld, count: number): Promise<void> {
  // Cheaper to ask again and again than for all of them.
  const starting = async () =>
    (await world.daemon.api('GET', '/sessions?state=starting&limit=1')).json.sessions;
  await until('no session to be starting', async () => (await starting())?.length === 0, 60);
  const ready = (await world.sessions()).filter(({ state }) => state === 'ready');
  if (ready.length !== count) throw new Error(`${ready.length} sessions are ready, not ${count}`);
}

test('a new daemon takes over 500 sessions, all of them ready and routed', async (t) => {
  const { world, ids } = await worldWith(t, MANY);
  await world.daemon.end('SIGKILL');
  const since = performance.now();
  await world.restart();
  await untilReady(world, MANY);
  t.log(`${MANY} sessions adopted ${Math.round(performance.now() - since)} ms after the start of a daemon`);
  t.is((await world.visit(ids[0] as string)).body, 'hello');
  // By the time that another one has lived, something would have become of them.
  const { id } = await world.init();
  await world.until(id, 'ready');
  t.is((await world.daemon.api('DELETE', `/sessions/${id}`)).status, 204);
  t.deepEqual(await world.untilSound(), ids);
  t.is(world.proxy.count({ method: 'DELETE' }), 1);
});

test('what happened to Pods and Services while no daemon ran is noticed', async (t) => {
  const { world, ids } = await worldWith(t, 4);
  const { namespace } = world;
  await world.daemon.end('SIGKILL');
  const [lone, crashed, deleted, fine] = ids as [string, string, string, string];
  await kube.core.deleteNamespacedService({ name: `session-${lone}`, namespace });
  await world.kubelet.terminated(`session-${crashed}`, 'Error', 3);
  await kube.core.deleteNamespacedPod({ name: `session-${deleted}`, namespace, gracePeriodSeconds: 0 });
  await world.restart();
  await world.until(crashed, 'failed');
  t.deepEqual(await world.untilSound(), [lone, fine].sort());
  t.is((await world.visit(crashed)).status, 410);
  t.is((await world.visit(lone)).body, 'hello');
});

test('sessions are served at the port they were made with, whatever a new daemon is told', async (t) => {
  const world = await startApiWorld(t, kube);
  const { id } = await world.init();
  await world.serve(id, 'hello');
  await world.until(id, 'ready');
  await world.daemon.end('SIGKILL');
  await world.restart(['--application-port', '1']);
  await world.until(id, 'ready');
  t.is((await world.visit(id)).body, 'hello');
});

test('a Service that is missing keeps nobody from working, and is made when the cluster takes it', async (t) => {
  const world = await startApiWorld(t, kube);
  const { namespace, proxy } = world;
  const [one, two] = [await world.init(), await world.init()];
  await world.daemon.end('SIGKILL');
  for (const { id } of [one, two])
    await kube.core.deleteNamespacedService({ name: `session-${id}`, namespace });
  const refused = proxy.plan({ method: 'POST', path: /\/services$/ }, { answer: 403 }, { times: 1 });
  await world.restart();
  const untilAllThere = () =>
    until('both Services to be there', async () => (await world.services()).length === 2, 30);
  await untilAllThere();
  t.is(refused.hits, 1);
  t.is(world.daemon.log().split('"the Services of sessions can not').length, 2, 'said once');
  await kube.core.deleteNamespacedService({ name: `session-${one.id}`, namespace });
  await untilAllThere();
  t.deepEqual(await world.untilSound(), [one.id, two.id].sort());
});

for (const [what, metadata] of [
  ['its label', { labels: { 'spawner/session': null } }],
  ['the value of its label', { labels: { 'spawner/session': 'other' } }],
  ['its annotation', { annotations: { 'spawner/session': null } }],
] as const) {
  test(`a session whose Pod loses ${what} ends, and its Pod with it`, async (t) => {
    const world = await startApiWorld(t, kube);
    const { namespace } = world;
    const { id } = await world.init();
    await world.serve(id, 'hello');
    await world.until(id, 'ready');
    const options = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    const name = `session-${id}`;
    await kube.core.patchNamespacedPod({ name, namespace, body: { metadata } }, options);
    await until('the route to go', async () => (await world.visit(id)).status === 410);
    await world.untilGone(id);
    t.is((await world.sessions())[0]?.failure?.code, 'app_lost');
    const said = new RegExp(
      `"pod":"${name}".*"a session's Pod has lost its label or annotation: it is ended"`,
    );
    t.is(world.daemon.log().match(new RegExp(said, 'g'))?.length, 1);
  });
}

test('a Pod with our label that no daemon made is left alone, and said once', async (t) => {
  const world = await startApiWorld(t, kube);
  const { namespace } = world;
  const make = (name: string, id: string) =>
    kube.core.createNamespacedPod({
      namespace,
      body: {
        metadata: { name, labels: { 'spawner/session': id } },
        spec: { containers: [{ name: 'app', image: 'other' }] },
      },
    });
  const id = 'x'.repeat(26);
  await make(`session-${id}`, id);
  await make('other', 'whatever');
  const said = () => world.daemon.log().split('"foreign Pod left alone"').length - 1;
  await until('both to be said', () => said() === 2);
  await world.kubelet.assign('other');
  await world.kubelet.running('other', '127.0.0.1');
  await world.daemon.end('SIGKILL');
  await world.restart();
  const { id: ours } = await world.init();
  t.deepEqual(
    (await world.sessions()).map((session) => session.id),
    [ours],
  );
  t.deepEqual(await world.routes(), [ours]);
  t.is(said(), 2);
  t.is(world.proxy.count({ method: 'DELETE' }), 0);
  t.is((await world.pods()).length, 3);
});

// A daemon whose watch is silent would delete what it still takes for its own.
for (const [how, label, silent] of [
  ['with our label', true, false],
  ['without our label', false, false],
  ['while the watch is silent', true, true],
] as const) {
  test(`a stranger that takes the name of a session's Pod is neither served nor deleted, ${how}`, async (t) => {
    const world = await startApiWorld(t, kube);
    const { namespace } = world;
    const { id } = await world.init();
    await world.serve(id, 'ours');
    await world.until(id, 'ready');
    const name = `session-${id}`;
    if (silent) world.proxy.freeze({ path: /watch=true/ });
    await kube.core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 });
    const labels: Record<string, string> = label ? { 'spawner/session': id } : {};
    const spec = { containers: [{ name: 'app', image: 'other' }] };
    const stranger = await kube.core.createNamespacedPod({
      namespace,
      body: { metadata: { name, labels }, spec },
    });
    await world.serve(id, 'a stranger');
    if (silent) t.is((await world.daemon.api('DELETE', `/sessions/${id}`)).status, 204);
    await until('the route to go', async () => (await world.visit(id)).status === 410);
    // By the time that another one has lived, something would have become of it.
    const other = await world.init();
    await world.daemon.api('DELETE', `/sessions/${other.id}`);
    const { metadata } = (await world.pod(id)) ?? {};
    t.is(metadata?.uid, stranger.metadata?.uid);
    t.is(metadata?.deletionTimestamp, undefined);
  });
}

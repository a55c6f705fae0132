import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import test, { type ExecutionContext } from 'ava';
import { until } from '../support/poll.ts';
import { startApiServer, stopApiServer } from './support/api-server.ts';
import { isOwnCluster, theCluster } from './support/cluster.ts';
import { count, exitsWhenAsked } from './support/example-app.ts';
import { type Installation, install } from './support/install.ts';
import { resume, stop } from './support/node-programs.ts';
import { type Outside, objectsOf, outside } from './support/outside.ts';
import { isReady, nameOf, podsAsWay, podsOf } from './support/parts.ts';

const namespace = 'spawner-sessions';
const OUTAGE_MS = 60_000;

const onOwnCluster = isOwnCluster ? test.serial : test.skip;
let spawner: Installation | undefined;
test.before(async () => {
  if (isOwnCluster) spawner = await install({ SPAWNER_STOP_GRACE: '1s' });
});
test.after.always(() => spawner?.remove());

onOwnCluster('a minute without the API server costs no session anything', async (t) => {
  const world = await outside(t, spawner as Installation, await podsAsWay());
  t.teardown(startApiServer);
  const [lives, crashes] = await Promise.all([world.start(), world.start({ env: exitsWhenAsked })]);
  const socket = await world.connect(lives.id);
  const runs = await runsOfDaemon();

  await stopApiServer();
  const deadline = performance.now() + OUTAGE_MS;
  t.is((await world.visit(crashes.id, 'exit')).status, 502);
  while (performance.now() < deadline) {
    await isServed(t, world, lives.id);
    t.is((await count(socket)).session, lives.id);
    const askedAt = performance.now();
    const refused = await world.api('POST', '/init');
    t.is(refused.status, 503, refused.body);
    t.is(JSON.parse(refused.body).error.code, 'cluster_unavailable');
    t.true(performance.now() - askedAt < OUTAGE_MS / 6, 'it fails fast');
    await sleep(500);
  }
  const backAt = new Date();
  await startApiServer();
  await until('the node to be heard of', () => nodeIsReady(backAt), 60);

  await world.untilState(crashes.id, 'failed');
  t.is((await world.session(crashes.id)).failure?.code, 'app_exited');
  await until('its Pod to be taken away', async () => (await objectsOf(crashes.id)).length === 0, 150);
  const fresh = await world.start();
  t.is(JSON.parse((await world.visit(fresh.id, 'session')).body).session, fresh.id);
  t.is((await count(socket)).session, lives.id);
  t.deepEqual(await runsOfDaemon(), runs);
  const ids = [lives.id, fresh.id].sort();
  t.deepEqual((await world.living()).map(({ id }) => id).sort(), ids);
  t.deepEqual(await objectsOf(), [
    ...ids.map((id) => `Pod/session-${id}`),
    ...ids.map((id) => `Service/session-${id}`),
  ]);
});

// As after an outage, when controllers hear of the API server again sooner than nodes do.
onOwnCluster('a node that the cluster has not heard of costs no session anything', async (t) => {
  const world = await outside(t, spawner as Installation, await podsAsWay());
  t.teardown(() => resume('kubelet'));
  const [{ id }, later] = await Promise.all([world.start(), world.start()]);
  const socket = await world.connect(id);

  await stop('kubelet');
  await until('its Pod to be taken for dead', async () => !isReady(await podOf(id)), 120);
  // What the daemon is told after that.
  const name = nameOf(await podOf(later.id));
  await theCluster().core.deleteNamespacedPod({ namespace, name, gracePeriodSeconds: 0 });
  await world.untilState(later.id, 'failed');
  await isServed(t, world, id);
  t.is((await count(socket)).session, id);

  await resume('kubelet');
  await until('the kubelet to say otherwise', async () => isReady(await podOf(id)), 60);
  await isServed(t, world, id);
  t.is((await count(socket)).session, id);
  await world.end(id);
});

async function isServed(t: ExecutionContext, world: Outside, id: string): Promise<void> {
  // A visitor may be held: then the session is not ready meanwhile.
  const [{ state }, visited] = await Promise.all([world.session(id), world.visit(id, 'session')]);
  t.is(state, 'ready');
  t.is(visited.status, 200);
}

async function podOf(id: string): Promise<V1Pod> {
  return theCluster().core.readNamespacedPod({ namespace, name: `session-${id}` });
}

async function nodeIsReady(since: Date): Promise<boolean> {
  const [node] = (await theCluster().core.listNode()).items;
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && (ready.lastHeartbeatTime as Date) > since;
}

async function runsOfDaemon(): Promise<string[]> {
  const pods = await podsOf('daemon');
  return pods.map(
    ({ metadata, status }) => `${metadata?.uid} ${status?.containerStatuses?.[0]?.restartCount}`,
  );
}

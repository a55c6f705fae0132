import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { until } from '../support/poll.ts';
import { startApiServer, stopApiServer } from './support/api-server.ts';
import { isOwnCluster, theCluster } from './support/cluster.ts';
import { count, exitsWhenAsked } from './support/example-app.ts';
import { type Installation, install } from './support/install.ts';
import { objectsOf, outside } from './support/outside.ts';
import { podsOf } from './support/parts.ts';

const OUTAGE_MS = 60_000;

const onOwnCluster = isOwnCluster ? test : test.skip;
let spawner: Installation | undefined;
test.before(async () => {
  if (isOwnCluster) spawner = await install({ SPAWNER_STOP_GRACE: '1s' });
});
test.after.always(() => spawner?.remove());

onOwnCluster('a minute without the API server costs no session anything', async (t) => {
  t.teardown(startApiServer);
  const world = await outside(t, spawner as Installation);
  const [lives, crashes] = await Promise.all([world.start(), world.start({ env: exitsWhenAsked })]);
  const socket = await world.connect(lives.id);
  const runs = await runsOfDaemon();

  await stopApiServer();
  const deadline = performance.now() + OUTAGE_MS;
  t.is((await world.visit(crashes.id, 'exit')).status, 502);
  while (performance.now() < deadline) {
    t.is((await world.visit(lives.id, 'session')).status, 200);
    t.is((await count(socket)).session, lives.id);
    const askedAt = performance.now();
    const refused = await world.api('POST', '/init');
    t.is(refused.status, 503, refused.body);
    t.is(JSON.parse(refused.body).error.code, 'cluster_unavailable');
    t.true(performance.now() - askedAt < OUTAGE_MS / 6, 'it fails fast');
    t.is((await world.session(lives.id)).state, 'ready');
    await sleep(500);
  }
  const backAt = new Date();
  await startApiServer();
  // The cluster heard nothing of the node for as long. It may take it for dead at first, and its Pods out of Services.
  await until('the node to be heard of', () => nodeIsReady(backAt), 60);
  const isReachable = async () => {
    const [visited, asked] = await Promise.all([
      world.visit(lives.id, 'session'),
      world.api('GET', '/readyz'),
    ]);
    return visited.status === 200 && asked.status === 200;
  };
  await until('the Services to lead to their Pods', () => isReachable().catch(() => false), 60);

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

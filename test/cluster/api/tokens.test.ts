/** Access tokens in a cluster: a session's Pod is the only memory of them. */
import test from 'ava';
import type { Fault } from '../../support/fault-proxy.ts';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { until } from '../../support/poll.ts';
import { type ApiWorld, startApiWorld } from '../support/api-world.ts';

let kube: KubeApi;
test.before(async () => {
  kube = await startKubeApi();
});
test.after.always(() => kube?.stop());

const SECRET = ['--token-secret', 'a-secret-of-thirty-two-characters'];
const REQUIRED = { flags: ['--require-token', ...SECRET] };
const PATCH_POD = { method: 'PATCH', path: /\/pods\/session-/ };
const body = { labels: { user: 'ada' } };

async function epochOf(world: ApiWorld, id: string): Promise<unknown> {
  const annotation = (await world.pod(id))?.metadata?.annotations?.['spawner/session'];
  return JSON.parse(annotation ?? '{}').tokenEpoch;
}

async function digestOf(world: ApiWorld, id: string): Promise<string | undefined> {
  return (await world.router.admin.call('GET', '/v1/routes')).body.routes[id]?.[3];
}

const renew = (world: ApiWorld, id: string) => world.daemon.api('POST', `/sessions/${id}/token`);

test('a Pod says which token is valid, and the next daemon goes by that', async (t) => {
  const world = await startApiWorld(t, kube, REQUIRED);
  const key = { 'idempotency-key': 'one' };
  const { id, url } = (await world.daemon.api('POST', '/init', body, key)).json;
  await world.serve(id, 'hello');
  await world.until(id, 'ready');
  t.regex(url, /\/\?spawner-token=[\w-]{43}$/);
  t.is(await epochOf(world, id), 1);
  const first = await digestOf(world, id);
  t.regex(first ?? '', /^[\w-]{43}$/);

  const renewed = await renew(world, id);
  t.is(renewed.status, 200);
  t.is(await epochOf(world, id), 2);
  const second = await digestOf(world, id);
  t.not(second, first);

  await world.daemon.end('SIGKILL');
  await world.router.restart();
  await world.restart(['--require-token=false']);
  await world.until(id, 'ready');
  t.is(await digestOf(world, id), second);
  const replay = await world.daemon.api('POST', '/init', body, key);
  t.is(replay.json.url, renewed.json.url);
  t.deepEqual(replay.json.labels, body.labels);
  t.deepEqual(await world.untilSound(), [id]);
});

test('a renewal that the cluster does not take changes nothing, and one whose answer is lost can be repeated', async (t) => {
  const world = await startApiWorld(t, kube, REQUIRED);
  const { id } = await world.init();
  const first = await digestOf(world, id);
  const faults: Fault[] = ['cut', { answer: 500 }, { answer: 401 }];
  for (const fault of faults) {
    world.proxy.plan(PATCH_POD, fault);
    const { status, json } = await renew(world, id);
    t.deepEqual([status, json.error.code], [503, 'cluster_unavailable']);
    t.is(await epochOf(world, id), 1);
    t.is(await digestOf(world, id), first);
  }
  world.proxy.plan(PATCH_POD, 'lose-reply');
  t.is((await renew(world, id)).status, 503);
  t.is(await epochOf(world, id), 2, 'done, but nobody was told');
  t.is((await renew(world, id)).status, 200);
  t.is(await epochOf(world, id), 2);
  t.not(await digestOf(world, id), first);
});

test('a daemon that was killed before it told the routers is followed by one that does', async (t) => {
  const world = await startApiWorld(t, kube, REQUIRED);
  const { id } = await world.init();
  const first = await digestOf(world, id);
  const lost = world.proxy.plan(PATCH_POD, 'lose-reply');
  const renewal = renew(world, id).catch(() => undefined);
  await until('the patch', () => lost.hits === 1);
  await until('the Pod to say so', async () => (await epochOf(world, id)) === 2);
  await world.daemon.end('SIGKILL');
  await renewal;
  await world.restart();
  t.not(await digestOf(world, id), first);
});

test('a Pod that is gone has no token to renew', async (t) => {
  const world = await startApiWorld(t, kube, REQUIRED);
  const { id } = await world.init();
  world.proxy.plan(PATCH_POD, { answer: 404 });
  const { status, json } = await renew(world, id);
  t.deepEqual([status, json.error.code], [409, 'session_ended']);
});

test('a session keeps what it was started with: a token, or none', async (t) => {
  const world = await startApiWorld(t, kube);
  const open = await world.init();
  t.is(await epochOf(world, open.id), null);
  await world.daemon.end('SIGTERM');
  await world.restart(REQUIRED.flags);
  t.is(await digestOf(world, open.id), undefined);
  t.is((await renew(world, open.id)).json.error.code, 'no_token');
  const { id } = await world.init();
  const digest = await digestOf(world, id);
  await world.daemon.end('SIGTERM');

  const secretless = await t.throwsAsync(world.startDaemon().then((daemon) => untilEnded(daemon)));
  t.regex(secretless?.message ?? '', new RegExp(`^error: --token-secret is missing: session ${id} .*$`, 'm'));
  t.is(await digestOf(world, id), digest, 'its door stays as it was');
  await world.restart(SECRET);
  t.is((await renew(world, id)).status, 200);
});

async function untilEnded(daemon: ApiWorld['daemon']): Promise<never> {
  await until('the daemon to end', () => daemon.process.exitCode !== null);
  throw new Error(daemon.log());
}

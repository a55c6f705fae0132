import type { V1Pod } from '@kubernetes/client-node';
import test from 'ava';
import { podManifest } from '../../../daemon/runtime/kubernetes/manifest.ts';
import { EMPTY_TEMPLATE } from '../../../daemon/runtime/kubernetes/pod-template.ts';
import { ALWAYS, type Fault, type Match } from '../../support/fault-proxy.ts';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { until } from '../../support/poll.ts';
import { type ApiWorld, startApiWorld } from '../support/api-world.ts';

let kube: KubeApi;
test.before(async () => {
  kube = await startKubeApi({ controllers: true });
});
test.after.always(() => kube?.stop());

const POST_POD: Match = { method: 'POST', path: /\/pods$/ };
const POST_SERVICE: Match = { method: 'POST', path: /\/services$/ };
const DELETE_POD: Match = { method: 'DELETE', path: /\/pods\// };
const LIST: Match = { method: 'GET', path: /\/pods\?(?!.*watch=)/ };
const WATCH: Match = { method: 'GET', path: /\/pods\?.*watch=true/ };

test('a create that the API server asks to repeat, or whose answer is lost, makes one session', async (t) => {
  const world = await startApiWorld(t, kube);
  const hurdles: Fault[] = [{ answer: 429, headers: { 'retry-after': '1' } }, 'lose-reply'];
  const ids: string[] = [];
  for (const fault of hurdles) {
    const plan = world.proxy.plan(POST_POD, fault);
    ids.push((await world.init()).id);
    t.is(plan.hits, 1);
  }
  t.deepEqual(await world.untilSound(), ids.sort());
});

const refusals: { what: string; match: Match; fault: Fault; times: number; code: string }[] = [
  { what: '429 for ever', match: POST_POD, fault: { answer: 429 }, times: ALWAYS, code: 'cluster_busy' },
  { what: 'a conflict', match: POST_POD, fault: { answer: 409 }, times: 1, code: 'cluster_busy' },
  { what: '500', match: POST_POD, fault: { answer: 500 }, times: 1, code: 'cluster_unavailable' },
  { what: '401', match: POST_POD, fault: { answer: 401 }, times: 1, code: 'cluster_unavailable' },
  { what: 'a cut', match: POST_POD, fault: 'cut', times: 1, code: 'cluster_unavailable' },
  { what: 'silence', match: POST_POD, fault: 'stall', times: 1, code: 'cluster_unavailable' },
  { what: 'no Service', match: POST_SERVICE, fault: { answer: 500 }, times: 1, code: 'cluster_unavailable' },
  { what: 'a lost Service', match: POST_SERVICE, fault: 'lose-reply', times: 1, code: 'cluster_unavailable' },
];

test('a create that fails is 503 and leaves nothing, and a retry with its key makes one session', async (t) => {
  const world = await startApiWorld(t, kube);
  const ids: string[] = [];
  for (const { what, match, fault, times, code } of refusals) {
    const key = { 'idempotency-key': what.replaceAll(' ', '-') };
    const plan = world.proxy.plan(match, fault, { times });
    const { status, json } = await world.daemon.api('POST', '/init', undefined, key);
    t.is(status, 503, what);
    t.is(json.error.code, code, what);
    t.false(json.error.message.includes('\n'), what);
    plan.remove();
    const retried = await world.daemon.api('POST', '/init', undefined, key);
    t.is(retried.status, 201, what);
    ids.push(retried.json.id);
    t.deepEqual(await world.untilSound(), [...ids].sort(), what);
  }
});

test('an API server that says nothing costs all callers one wait together, and the next ones none', async (t) => {
  const world = await startApiWorld(t, kube);
  const stalled = world.proxy.plan({}, 'stall', { times: ALWAYS });
  const refused = async () => {
    const { status, json } = await world.daemon.api('POST', '/init');
    t.is(status, 503);
    t.is(json.error.code, 'cluster_unavailable');
  };
  await Promise.all(Array.from({ length: 120 }, refused));
  // As many as are let go at a time, and not those behind them one after the other.
  const sent = world.proxy.count(POST_POD);
  t.true(sent <= 50, `${sent} calls`);
  await refused();
  t.is(world.proxy.count(POST_POD), sent, 'refused without a call');
  stalled.remove();
  await until('a session to begin', async () => (await world.daemon.api('POST', '/init')).status === 201, 30);
});

test('a node that is away, so that logs can not be read, holds up nothing else', async (t) => {
  const world = await startApiWorld(t, kube);
  const { id } = await world.init();
  const logs = world.proxy.plan({ path: /\/log\?/ }, 'stall', { times: ALWAYS });
  const looks = Array.from({ length: 60 }, () => world.daemon.api('GET', `/sessions/${id}`));
  await until('calls to hang', () => logs.hits >= 20);
  const [answers] = await Promise.all([Promise.all(looks), world.init(), world.init()]);
  t.true(answers.every(({ status, json }) => status === 200 && json.output.length === 0));
  await world.init();
});

test('what a list says counts, also if a restored cluster counts versions from an earlier one', async (t) => {
  const world = await startApiWorld(t, kube);
  const { namespace } = world;
  const { id } = await world.init();
  await world.serve(id, 'hello');
  await world.until(id, 'ready');
  const list = await kube.core.listNamespacedPod({ namespace });
  const [pod] = list.items as [V1Pod];
  const earlier = {
    ...pod,
    metadata: { ...pod.metadata, resourceVersion: '1' },
    status: { phase: 'Pending' },
  };
  const body = JSON.stringify({
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: list.metadata,
    items: [earlier],
  });
  world.proxy.plan(LIST, { answer: 200, body });
  world.proxy.expire(WATCH, 410);
  await world.until(id, 'starting');
  t.pass();
});

test('a session ends although the answer to the delete is lost, or the delete has to be repeated', async (t) => {
  const world = await startApiWorld(t, kube);
  for (const fault of ['lose-reply', 'cut', { answer: 500 }, { answer: 429 }] as const) {
    const { id } = await world.init();
    const plan = world.proxy.plan(DELETE_POD, fault);
    t.is((await world.daemon.api('DELETE', `/sessions/${id}`)).status, 204);
    t.is(plan.hits, 1);
    t.deepEqual(await world.untilSound(), []);
  }
});

test('a create that is carried out only after its session was given up is undone', async (t) => {
  const world = await startApiWorld(t, kube);
  world.proxy.plan(POST_POD, { answer: 500 });
  t.is((await world.daemon.api('POST', '/init')).status, 503);
  const id = await until('the session to be given up', () => {
    const line = world.daemon
      .log()
      .split('\n')
      .find((text) => text.includes('"rolled_back"'));
    return line && (JSON.parse(line).session as string);
  });
  const spec = { id, createdAt: Date.now(), env: {}, labels: {}, idempotency: null, tokenEpoch: null };
  const publicUrl = { form: 'path', scheme: 'http', host: 'x' } as const;
  const settings = { image: 'my-app:1', port: 80, publicUrl, stopGraceMs: 1_000 };
  const { namespace } = world;
  const body = podManifest(spec, {
    ...settings,
    namespace,
    sidecarImage: undefined,
    template: EMPTY_TEMPLATE,
  });
  await kube.core.createNamespacedPod({ namespace, body });
  t.deepEqual(await world.untilSound(), []);
});

/** A session that is Ready only after `trouble`, and deleted by hand after it. */
async function livesThrough(world: ApiWorld, trouble: () => Promise<void> | void): Promise<string> {
  const { id } = await world.init();
  await trouble();
  await world.serve(id, 'hello');
  await world.until(id, 'ready');
  return id;
}

test('a watch whose place is forgotten, or who may not watch for a while, goes on with a new list', async (t) => {
  const world = await startApiWorld(t, kube);
  await livesThrough(world, () => void t.is(world.proxy.expire(WATCH, 410), 1));
  // A token that is renewed late: the daemon is nobody meanwhile.
  const refused = [WATCH, LIST].map((match) => world.proxy.plan(match, { answer: 401 }, { times: ALWAYS }));
  await livesThrough(world, async () => {
    world.proxy.expire(WATCH, 410);
    await until('the list to be refused twice', () => (refused[1]?.hits ?? 0) >= 2);
    for (const plan of refused) plan.remove();
  });
  const broken = world.proxy.plan(LIST, { answer: 500 }, { times: 3 });
  const id = await livesThrough(world, async () => {
    world.proxy.expire(WATCH, 410);
    await until('the list to fail', () => broken.hits === 3);
  });
  await kube.core.deleteNamespacedPod({ name: `session-${id}`, namespace: world.namespace });
  await world.until(id, 'failed');
  t.is((await world.visit(id)).status, 410);
});

test('a watch that breaks again and again costs few requests, and sessions start all the same', async (t) => {
  const world = await startApiWorld(t, kube);
  world.proxy.plan(WATCH, 'cut', { times: ALWAYS });
  world.proxy.expire(WATCH, 500);
  const before = world.proxy.count(LIST) + world.proxy.count(WATCH);
  const since = performance.now();
  const { id } = await world.init();
  await world.serve(id, 'hello');
  await world.until(id, 'ready');
  await until('the watch to have broken six times', () => world.proxy.count(WATCH) > 7);
  const requests = world.proxy.count(LIST) + world.proxy.count(WATCH) - before;
  // Five rounds within the first three seconds, then one every 2.5 s at most, a list and a watch each.
  const most = 2 * (6 + (performance.now() - since) / 2_500);
  t.true(requests <= most, `${requests} requests, at most ${most} expected`);
});

test('a watch that is cut off without a word hides neither a start nor an end for long', async (t) => {
  const world = await startApiWorld(t, kube);
  const { id } = await world.init();
  await world.serve(id, 'one');
  await world.until(id, 'ready');
  t.is(world.proxy.freeze(WATCH), 1);
  const other = await livesThrough(world, () => {});
  t.is((await world.visit(other)).body, 'hello');
  await kube.core.deleteNamespacedPod({ name: `session-${id}`, namespace: world.namespace });
  await until('the route to go', async () => (await world.visit(id)).status === 410, 45);
  t.is((await world.visit(other)).body, 'hello');
});

import { PassThrough } from 'node:stream';
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node';
import test, { type ExecutionContext } from 'ava';
import { SHARDS } from '../../njs/shard.ts';
import { ask, open } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { isOwnCluster, kubectl, theCluster } from './support/cluster.ts';
import { echoes } from './support/echo-app.ts';
import { count } from './support/example-app.ts';
import { importCurrentRouter } from './support/images.ts';
import { type Installation, install } from './support/install.ts';
import { resume, stop } from './support/node-programs.ts';
import { outside } from './support/outside.ts';
import { podsOf, routerAddress } from './support/parts.ts';

const IDLE_SECONDS = 6;
const onOwnCluster = isOwnCluster ? test.serial : test.skip;
let spawner: Installation;
test.before(async () => {
  if (!isOwnCluster) return;
  const settings = {
    SPAWNER_IDLE_TIMEOUT: `${IDLE_SECONDS}s`,
    SPAWNER_STOP_GRACE: '1s',
    // Each worker keeps connections of its own.
    SPAWNER_ROUTER_WORKERS: '1',
  };
  spawner = await install(settings, await importCurrentRouter());
});
test.after.always(() => spawner?.remove());

/** One router, and what a session's app says to those who come by it. */
async function world(t: ExecutionContext) {
  const all = await outside(t, spawner);
  const [pod] = await podsOf('router');
  if (!pod) throw new Error('no router runs');
  const router = await routerAddress(t, pod);
  const visitFor = async (id: string) => {
    const { status, headers } = await ask(router, `/p/${id}/`);
    t.is(status, 200);
    t.is(headers['x-session'], id);
    return headers['x-peer'];
  };
  /** Whether two requests come to the app by the same connection. */
  const isPooled = async (id: string) => {
    const first = await visitFor(id);
    return (await visitFor(id)) === first;
  };
  return {
    ...all,
    isPooled,
    untilPooled: (id: string) => until(`${id} to be known by DNS`, () => isPooled(id), 30),
    /** Whatever a visitor does. */
    async isServed(id: string, pooled: boolean) {
      t.is(await isPooled(id), pooled);
      await uploads(t, router, id);
    },
  };
}

/** What comes back of the first part of an upload comes before the last part is sent. */
async function uploads(t: ExecutionContext, router: string, id: string): Promise<void> {
  const body = new PassThrough();
  body.write('first');
  const answer = await open(router, `/p/${id}/`, { method: 'POST', body });
  t.is(answer.headers['x-session'], id);
  const parts = answer.setEncoding('utf8')[Symbol.asyncIterator]();
  t.is((await parts.next()).value, 'first');
  body.end('last');
  t.is((await parts.next()).value, 'last');
}

onOwnCluster('a Pod is in the Endpoints of its shard, and of no other', async (t) => {
  const { start } = await world(t);
  const { id } = await start({ env: echoes });
  const { core } = theCluster();
  const namespace = 'spawner-sessions';
  const pod = await core.readNamespacedPod({ name: `session-${id}`, namespace });
  await until('its shard to know it', async () => {
    const { items } = await core.listNamespacedEndpoints({ namespace });
    const knowing = items
      .filter(({ metadata }) => metadata?.name?.startsWith('spawner-shard-'))
      .filter(({ subsets }) =>
        subsets?.some((one) => one.addresses?.some(({ ip }) => ip === pod.status?.podIP)),
      )
      .map(({ metadata }) => metadata?.name);
    return knowing.join() === `spawner-shard-${id.charAt(0)}`;
  });
  const { items } = await core.listNamespacedService({ namespace });
  const selectors = items.map(({ spec }) => spec?.selector?.['spawner/shard']).filter((shard) => shard);
  t.deepEqual(selectors.sort(), [...SHARDS]);
});

onOwnCluster('requests of a session share connections, and a WebSocket lives beside them', async (t) => {
  const { start, connect, untilPooled, isServed } = await world(t);
  const { id } = await start({ env: echoes });
  await untilPooled(id);
  await isServed(id, true);
  const other = await start();
  const socket = await connect(other.id);
  t.like(await count(socket), { session: other.id, count: 1 });
});

onOwnCluster('a Pod that DNS does not know yet is served all the same', async (t) => {
  t.teardown(() => resume('names'));
  await stop('names');
  const { start, connect, untilPooled, isServed } = await world(t);
  const [{ id }, example] = await Promise.all([start({ env: echoes }), start()]);
  for (let round = 0; round < 3; round++) await isServed(id, false);
  t.like(await count(await connect(example.id)), { session: example.id, count: 1 });
  await resume('names');
  await untilPooled(id);
});

onOwnCluster('a Pod that DNS forgets is served all the same', async (t) => {
  const { start, untilPooled, isPooled, isServed } = await world(t);
  const { id } = await start({ env: echoes });
  await untilPooled(id);
  const body = { metadata: { labels: { 'spawner/shard': null } } };
  await theCluster().core.patchNamespacedPod(
    { name: `session-${id}`, namespace: 'spawner-sessions', body },
    setHeaderOptions('content-type', PatchStrategy.MergePatch),
  );
  await until('DNS to forget it', async () => !(await isPooled(id)), 30);
  await isServed(id, false);
});

onOwnCluster('without DNS, what is known stays known, and what comes is served', async (t) => {
  t.teardown(() => resume('dns'));
  const { start, connect, untilPooled, isServed } = await world(t);
  const { id } = await start({ env: echoes });
  await untilPooled(id);
  await stop('dns');
  const [fresh, example] = await Promise.all([start({ env: echoes }), start()]);
  await isServed(fresh.id, false);
  await isServed(id, true);
  t.like(await count(await connect(example.id)), { session: example.id, count: 1 });
  await resume('dns');
  await untilPooled(fresh.id);
});

onOwnCluster('connections that are kept keep no session', async (t) => {
  const { start, session, untilPooled } = await world(t);
  const { id } = await start({ env: echoes });
  await untilPooled(id);
  const visited = Date.now();
  t.is((await session(id)).activity?.source, 'sidecar');
  const reason = await until('the session to end', async () => (await session(id)).endReason, 60);
  const seconds = (Date.now() - visited) / 1000;
  t.is(reason, 'idle');
  t.true(seconds >= IDLE_SECONDS && seconds < IDLE_SECONDS + 4, `after ${seconds} s`);
});

onOwnCluster('names without Pods fill no log', async (t) => {
  const { start, untilPooled } = await world(t);
  const { id } = await start({ env: echoes });
  await untilPooled(id);
  for (const pod of await podsOf('router')) {
    const log = await kubectl('logs', '--namespace=spawner', pod.metadata?.name ?? '');
    t.notRegex(log, /resolv|upstream/, log);
  }
});

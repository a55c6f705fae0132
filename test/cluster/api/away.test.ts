import test, { type ExecutionContext } from 'ava';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { until } from '../../support/poll.ts';
import { connectWebSocket, say } from '../../support/web-socket.ts';
import { type ApiWorld, startApiWorld } from '../support/api-world.ts';

let kube: KubeApi;
test.before(async () => {
  kube = await startKubeApi({ controllers: true });
});
test.after.always(() => kube?.stop());

/** What takes the API server away, and what may happen in the cluster before it is back. */
interface Outage {
  begin(world: ApiWorld): Promise<void>;
  end(world: ApiWorld, meanwhile: () => Promise<void>): Promise<void>;
}

const OUTAGES: Record<string, Outage> = {
  'out of reach': {
    begin: ({ proxy }) => proxy.away(),
    async end({ proxy }, meanwhile) {
      await meanwhile();
      await proxy.back();
    },
  },
  dead: {
    begin: () => kube.pauseApi(),
    async end(_, meanwhile) {
      await kube.resumeApi();
      await meanwhile();
    },
  },
};

async function outage(t: ExecutionContext, { begin, end }: Outage): Promise<void> {
  const world = await startApiWorld(t, kube, { flags: ['--idle-timeout', '2s'] });
  const { namespace, daemon } = world;
  const path = (id: string) => `/p/${id}/`;
  const [used, idle, deleted] = await Promise.all([world.init(), world.init(), world.init()]);
  const sockets = [];
  for (const { id } of [used, deleted]) {
    await world.serve(id, id);
    await world.until(id, 'ready');
    const socket = await connectWebSocket(world.router.publicSocket, path(id));
    t.teardown(() => socket.terminate());
    sockets.push(socket);
  }
  await world.serve(idle.id, idle.id);
  await world.until(idle.id, 'ready');

  await begin(world);
  const refused = await daemon.api('POST', '/init');
  t.is(refused.status, 503);
  t.is(refused.json.error.code, 'cluster_unavailable');
  t.false(refused.json.error.message.includes('\n'));
  await until('the idle session to be reaped', async () => !(await world.routes()).includes(idle.id));
  t.is((await world.visit(idle.id)).status, 410);
  for (const { id } of [used, deleted]) t.is((await world.visit(id)).body, id);
  for (const socket of sockets) t.is(await say(socket, 'still there'), 'still there');
  // It can do all but start sessions, and says why: taking it out of its Service would help nobody.
  t.is((await daemon.api('GET', '/readyz')).status, 200);
  await end(world, async () => {
    await kube.core.deleteNamespacedPod({ name: `session-${deleted.id}`, namespace, gracePeriodSeconds: 0 });
  });

  await until('the end to be noticed', async () => (await world.visit(deleted.id)).status === 410);
  await world.untilGone(idle.id);
  const fresh = await world.init();
  await world.serve(fresh.id, 'fresh');
  await until('a new session to be served', async () => (await world.visit(fresh.id)).body === 'fresh');
  const left = await world.untilSound();
  t.true(left.includes(used.id));
  t.false(left.includes(deleted.id) || left.includes(idle.id));
  t.is(await say(sockets[0] as (typeof sockets)[0], 'still here'), 'still here');
}

// One after the other: the second takes the API server from everybody.
for (const [what, how] of Object.entries(OUTAGES)) {
  test.serial(`an API server that is ${what} costs no running session anything`, (t) => outage(t, how));
}

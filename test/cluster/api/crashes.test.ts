import test, { type ExecutionContext } from 'ava';
import { ALWAYS, type Match } from '../../support/fault-proxy.ts';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { until } from '../../support/poll.ts';
import { type ApiWorld, startApiWorld } from '../support/api-world.ts';
import { playNode } from '../support/played-node.ts';

let kube: KubeApi;
test.before(async () => {
  kube = await startKubeApi({ controllers: true });
});
test.after.always(() => kube?.stop());

/** What the daemon asks of the API server for its sessions, but for what it only follows or reads out. */
const CALL: Match = { path: /\/(pods|services)(\/session-\w+)?(\?(?!.*watch=).*)?$/ };

/** Before the API server hears of the call, or when it has done it and the daemon does not know. */
const MOMENTS = ['before', 'after'] as const;
type Moment = (typeof MOMENTS)[number];

/** Kills the daemon at its call number `n` from now on, while `work` goes on; false if it makes fewer. */
async function killAt(
  world: ApiWorld,
  n: number,
  moment: Moment,
  work: () => Promise<unknown>,
): Promise<boolean> {
  const fatal = world.proxy.plan(CALL, moment === 'before' ? 'stall' : 'lose-reply', { skip: n });
  // The next call shows that the answer of the fatal one is lost by now.
  const next = world.proxy.plan(CALL, 'stall', { times: ALWAYS });
  let done = false;
  const working = work().then(
    () => {
      done = true;
    },
    () => {}, // the daemon was killed
  );
  await until(`call ${n} or the end`, () => done || (moment === 'before' ? fatal : next).hits > 0, 30);
  const killed = fatal.hits > 0;
  if (killed) await world.daemon.end('SIGKILL');
  fatal.remove();
  next.remove();
  await working;
  return killed;
}

const init = (world: ApiWorld, key: string) =>
  world.daemon.api('POST', '/init', undefined, { 'idempotency-key': key });

/** What there is after a crash is whole, and who asks again with the same key gets one session. */
async function assertSound(t: ExecutionContext, world: ApiWorld, key: string): Promise<void> {
  await world.restart();
  const left = await world.untilSound();
  t.true(left.length <= 1, key);
  const { id } = (await init(world, key)).json;
  if (left.length === 1) t.is(id, left[0], key);
  t.deepEqual(await world.untilSound(), [id], key);
  await world.daemon.api('DELETE', `/sessions/${id}`);
  t.deepEqual(await world.untilSound(), [], key);
}

for (const moment of MOMENTS) {
  test(`a daemon that is killed ${moment} any call of a session's life leaves nothing half-done`, async (t) => {
    const world = await startApiWorld(t, kube);
    await playNode(t, kube, world.namespace, () => world.app('hello'));
    const live = async (key: string) => {
      const { id } = (await init(world, key)).json;
      await world.until(id, 'ready');
      await world.daemon.api('DELETE', `/sessions/${id}`);
    };
    let n = 0;
    while (await killAt(world, n, moment, () => live(`life-${n}`))) {
      await assertSound(t, world, `life-${n}`);
      n += 1;
    }
    t.true(n >= 3, `${n} calls: a Pod, a Service and a delete at least`);
  });

  test(`a daemon that is killed ${moment} any call of a reap leaves nothing half-done`, async (t) => {
    const world = await startApiWorld(t, kube, { flags: ['--idle-timeout', '1s'] });
    await playNode(t, kube, world.namespace, () => world.app('hello'));
    let n = 0;
    for (; ; n += 1) {
      const { id } = await world.init();
      const reaped = async () => {
        await until('the reap', async () => (await world.pod(id)) === undefined);
      };
      if (!(await killAt(world, n, moment, reaped))) break;
      await world.restart();
      await until('the reap after all', async () => (await world.pods()).length === 0);
      t.deepEqual(await world.untilSound(), []);
    }
    t.true(n >= 1);
  });

  test(`daemons that are killed one after the other, ${moment} any call of their start, change nothing`, async (t) => {
    const world = await startApiWorld(t, kube);
    await playNode(t, kube, world.namespace, () => world.app('hello'));
    const { id } = await world.init();
    await world.until(id, 'ready');
    // The second session has no Service yet.
    t.true(await killAt(world, 1, 'before', () => init(world, 'second')));
    let n = 0;
    const start = async () => {
      await world.restart();
      await until('the Service to be made', async () => (await world.services()).length === 2);
    };
    while (await killAt(world, n, moment, start)) n += 1;
    t.true(n >= 4, `${n} calls: the template, two lists and the missing Service at least`);
    const ids = await world.untilSound();
    t.is(ids.length, 2);
    t.true(ids.includes(id));
    t.true(ids.includes((await init(world, 'second')).json.id));
    t.deepEqual(await world.untilSound(), ids);
  });
}

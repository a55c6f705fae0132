/** Routers that come, go and hang while the daemon runs, on real ones. */
import test from 'ava';
import type { Routers } from '../../../daemon/routers/routers.ts';
import { newSessionId } from '../../../daemon/session.ts';
import { until } from '../../support/poll.ts';
import { adminOf, allLive, create, follow, found, type Gate, gate, named, router, stored } from './fleet.ts';

const ready = { state: 'ready', address: '127.0.0.1:1111', tokenDigest: '' } as const;
const fills = ({ calls }: Gate) => calls.filter((call) => call === 'GET /v1/routes').length;
const never = new Promise<void>(() => {});
const checks = ({ calls }: Gate) => calls.filter((call) => call === 'GET /v1/health').length;

for (const line of ['stable', 'current'] as const) {
  test(`${line}: a router that comes is filled and told of changes; gone and back, it is brought in line`, async (t) => {
    const [first, second] = [await router(t, { line }), await router(t, { line })];
    const routers = follow(t, named(adminOf(first)));
    await allLive(routers);
    const [early, late] = [newSessionId(), newSessionId()];
    t.is((await routers.set(early, ready)).live, 1);

    routers.follow(named(adminOf(first), adminOf(second)));
    await allLive(routers);
    t.is((await stored(second))[early]?.[0], 'ready', 'what was there before it came');
    t.is((await routers.set(late, ready)).live, 2);
    t.is((await stored(second))[late]?.[0], 'ready');

    routers.follow(named(adminOf(first)));
    t.is((await routers.remove(early)).live, 1);
    t.is((await stored(second))[early]?.[0], 'ready', 'it is none of ours now');
    t.deepEqual(
      routers.status().map(({ address }) => address),
      [adminOf(first)],
    );

    routers.follow(named(adminOf(first), adminOf(second)));
    t.false(routers.isSettled(early), 'it has the old route until it is filled');
    await allLive(routers);
    t.is((await stored(second))[early]?.[0], 'gone');
    t.true(routers.isSettled(early));
  });
}

test('a router that went is asked nothing and told nothing more', async (t) => {
  const [first, second] = [await gate(t, await router(t)), await gate(t, await router(t))];
  const routers = follow(t, named(first.address, second.address));
  await allLive(routers);
  routers.follow(named(first.address));
  const roundsOf = async (count: number) => {
    const before = checks(first);
    await until('the other one to be checked', () => checks(first) >= before + count);
  };
  await roundsOf(1); // what was on its way has arrived
  const heard = second.calls.length;
  await routers.set(newSessionId(), ready);
  await routers.activity();
  await roundsOf(2);
  t.is(second.calls.length, heard);
});

test('a router that goes in the middle of a change is waited for no more', async (t) => {
  const [first, second] = [await router(t), await gate(t, await router(t))];
  const routers = follow(t, named(adminOf(first), second.address));
  await allLive(routers);
  second.fault = (call) => (call === 'POST /v1/routes' ? never : undefined);
  const id = newSessionId();
  const change = routers.set(id, ready);
  await until('the write to arrive', () => second.calls.includes('POST /v1/routes'));
  t.false(routers.isSettled(id));
  routers.follow(named(adminOf(first)));
  t.deepEqual(await change, { live: 1, full: [] });
  t.true(routers.isSettled(id));
});

/** Changes one after the other; answers how many routers acknowledged each. */
async function changes(routers: Routers, count: number): Promise<number[]> {
  const live = [];
  for (let change = 0; change < count; change++) live.push((await routers.set(newSessionId(), ready)).live);
  return live;
}

test('a router that comes and never answers delays no change', async (t) => {
  const [first, second] = [await router(t), await gate(t, await router(t))];
  second.fault = () => never;
  const routers = follow(t, named(adminOf(first)));
  await allLive(routers);
  routers.follow(named(adminOf(first), second.address));
  await until('it to be asked', () => checks(second) > 0);
  t.deepEqual(await changes(routers, 3), [1, 1, 1]);
  t.is(checks(second), 1, 'all were done before the first question was given up');
  t.true(routers.synced(), 'who comes later does not take readiness away');
});

test('a router that hangs while it is filled delays the changes of the first two seconds only', async (t) => {
  const [first, member] = [await router(t), await router(t)];
  const second = await gate(t, member);
  const table = Promise.withResolvers<void>();
  second.fault = (call) => (call === 'GET /v1/routes' ? table.promise : undefined);
  const routers = follow(t, named(adminOf(first)));
  await allLive(routers);
  routers.follow(named(adminOf(first), second.address));
  await until('its fill to begin', () => fills(second) > 0);
  t.deepEqual(await changes(routers, 6), [1, 1, 1, 1, 1, 1]);
  t.is(routers.status()[1]?.state, 'syncing', 'all were done before the fill was given up');
  t.is(fills(second), 1);
  table.resolve();
  await allLive(routers);
  t.deepEqual(Object.keys(await stored(member)).sort(), Object.keys(await stored(first)).sort());
});

test('a discovered router that refuses calls may be shutting down: it is no proof that nobody is there', async (t) => {
  const [first, second] = [await router(t), await router(t)];
  const routers = follow(t, named(adminOf(first)));
  routers.follow([...named(adminOf(first)), ...found(adminOf(second))]);
  const isComplete = async () => {
    const { quiet, complete } = await routers.activity();
    t.true(quiet, 'it lets nobody in');
    return complete;
  };
  await allLive(routers);
  t.true(await isComplete());
  await second.kill();
  await until('it to be missed', () => routers.status()[1]?.state === 'absent');
  t.false(await isComplete(), 'it was live and is still listed');
  await second.restart();
  await allLive(routers);
  t.true(await isComplete(), 'it is live again');
  await second.kill();
  t.false(await isComplete());
  routers.follow(named(adminOf(first)));
  t.true(await isComplete(), 'it is listed no more');
  routers.follow([...named(adminOf(first)), ...found(adminOf(second))]);
  await until('it to be asked', () => routers.isSettled(newSessionId()));
  t.true(await isComplete(), 'a new one that does not listen yet serves nobody');
});

test('a discovered router that refuses calls at the start of the daemon may have been live before', async (t) => {
  const [first, second] = [await router(t), await router(t)];
  await second.kill();
  const routers = follow(t, [...named(adminOf(first)), ...found(adminOf(second))]);
  await until('both to be asked', () => routers.synced());
  t.false((await routers.activity()).complete);
});

test('before the routers are known, nothing is settled, quiet or in sync', async (t) => {
  const routers = create(t);
  t.false(routers.isSettled(newSessionId()));
  t.false((await routers.activity()).quiet);
  routers.follow([]);
  t.true(routers.isSettled(newSessionId()));
  t.true((await routers.activity()).quiet, 'there is none, so nobody is served');
  t.false(routers.synced());
});

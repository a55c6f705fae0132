import test from 'ava';
import type { FleetActivity } from '../../../daemon/routers/routers.ts';
import { createRouterUse, observeUse } from '../../../daemon/status/router-use.ts';

const before = { active: 0, total: 7, idleMs: 5_000 };

test('time without use adds up; use of any kind sets it back', (t) => {
  t.deepEqual(observeUse(before, { active: 0, total: 7 }, 1_000, false), {
    active: 0,
    total: 7,
    idleMs: 6_000,
  });
  t.is(observeUse(before, { active: 1, total: 7 }, 1_000, false).idleMs, 0, 'somebody is connected');
  t.is(observeUse(before, { active: 0, total: 8 }, 1_000, false).idleMs, 0, 'somebody came and went');
  t.is(observeUse(before, { active: 0, total: 3 }, 1_000, false).idleMs, 0, 'a worker died with its counts');
  t.is(observeUse(before, { active: 0, total: 7 }, 1_000, true).idleMs, 0, 'counts began anew');
  t.is(observeUse(undefined, { active: 0, total: 7 }, 1_000, false).idleMs, 0, 'a session new to us');
});

function world() {
  let clock = 0;
  let activity: FleetActivity = {
    sessions: new Map(),
    quiet: true,
    complete: true,
    boots: 'a',
    uncounted: false,
  };
  const use = createRouterUse(
    { activity: async () => activity },
    () => ['s'],
    () => clock,
  );
  return {
    use,
    async reading(afterMs: number, change: Partial<FleetActivity> = {}) {
      clock += afterMs;
      activity = { ...activity, ...change };
      await use.refresh();
      return use.signal('s');
    },
  };
}

test('a session nobody visits becomes idle second by second', async (t) => {
  const { reading } = world();
  t.like(await reading(0), { kind: 'use', secondsInactive: 0 });
  t.like(await reading(1_000), { secondsInactive: 1 });
  t.like(await reading(2_500), { secondsInactive: 3.5 });
});

test('while a router does not answer, idle time stands still and use is unknown', async (t) => {
  const { reading } = world();
  await reading(0);
  await reading(10_000);
  t.like(await reading(20_000, { complete: false }), { kind: 'unknown' });
  t.like(await reading(1_000, { complete: true }), { kind: 'use', secondsInactive: 11 });
});

test('a router that restarted sets idle time back: its visitors may be on their way', async (t) => {
  const { reading } = world();
  await reading(0);
  await reading(29_000);
  t.like(await reading(1_000, { boots: 'b' }), { secondsInactive: 0 });
});

test('a router that can not count any more keeps every session', async (t) => {
  const { reading } = world();
  await reading(0);
  const signal = await reading(60_000, { uncounted: true });
  t.deepEqual(signal, { kind: 'unknown', message: 'a router has no room to count in' });
});

test('arrivals tell whether somebody came between two readings', async (t) => {
  const { use, reading } = world();
  await reading(0, { sessions: new Map([['s', { active: 0, total: 4 }]]) });
  const arrivals = use.arrivals('s');
  await reading(1);
  t.is(use.arrivals('s'), arrivals);
  await reading(1, { sessions: new Map([['s', { active: 0, total: 5 }]]) });
  t.not(use.arrivals('s'), arrivals);
});

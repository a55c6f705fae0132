import test from 'ava';
import type { FleetActivity } from '../../../daemon/routers/routers.ts';
import type { SessionState } from '../../../daemon/session.ts';
import { type Clocks, createRouterUse, observeUse } from '../../../daemon/status/router-use.ts';

test('use of any kind is seen, and nothing is new of who is not used', (t) => {
  const [then, now] = [5_000, 6_000].map((ms) => ({ idleMs: ms, unseenMs: ms })) as [Clocks, Clocks];
  const before = { active: 0, total: 7, since: then };
  const after = (active: number, total: number, fresh = false) =>
    observeUse(before, { active, total }, now, fresh);
  t.is(after(0, 7), before);
  t.deepEqual(after(1, 7), { active: 1, total: 7, since: now }, 'somebody is connected');
  const visited = { ...before, active: 1 };
  t.deepEqual(observeUse(visited, { active: 0, total: 7 }, now, false), before, 'nobody is any more');
  t.like(after(0, 8), { since: now }, 'somebody came and went');
  t.like(after(0, 3), { since: now }, 'a worker died with its counts');
  t.like(after(0, 7, true), { since: now }, 'counts began anew');
  t.like(observeUse(undefined, { active: 0, total: 7 }, now, false), { since: now }, 'a session new to us');
});

function world() {
  let clock = 0;
  const session: { id: string; state: SessionState } = { id: 's', state: 'ready' };
  let activity: FleetActivity = {
    sessions: new Map(),
    quiet: true,
    complete: true,
    boots: 'a',
    uncounted: false,
  };
  const use = createRouterUse(
    { activity: async () => activity },
    () => [session],
    () => clock,
  );
  return {
    use,
    session,
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
  t.like(await reading(20_000, { quiet: false, complete: false }), {
    kind: 'unknown',
    message: 'a router does not answer',
  });
  t.like(await reading(1_000, { quiet: true, complete: true }), { kind: 'use', secondsInactive: 11 });
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

test('time that a session can not serve in is not idle time: who waits for it is not counted', async (t) => {
  const { session, reading } = world();
  await reading(0);
  await reading(20_000);
  session.state = 'starting';
  t.like(await reading(40_000), { secondsInactive: 20 }, 'it does not begin anew either');
  session.state = 'ready';
  t.like(await reading(1_000), { secondsInactive: 21 });
  session.state = 'starting';
  const active = new Map([['s', { active: 1, total: 1 }]]);
  t.like(await reading(1, { sessions: active }), { activeConnections: 1, secondsInactive: 0 });
});

const idle = (secondsInactive: number) => ({ kind: 'use', activeConnections: 0, secondsInactive });

test('requests are known of while a router shuts down, what it still carries is not', async (t) => {
  const { use, reading } = world();
  await reading(0);
  await reading(10_000);
  const message = 'no router is there, or one is shutting down';
  t.deepEqual(await reading(5_000, { complete: false }), { kind: 'unknown', message });
  t.deepEqual(use.requests('s'), idle(15));
  await reading(1_000, { sessions: new Map([['s', { active: 0, total: 1 }]]) });
  t.deepEqual(use.requests('s'), idle(0), 'another router served one');
  await reading(2_000);
  t.deepEqual(use.requests('s'), idle(2));
});

test('nothing is known of requests while a router hangs or can not count, or before the first reading', async (t) => {
  const { use, reading } = world();
  t.like(use.requests('s'), { kind: 'unknown', message: 'the routers were not asked yet' });
  await reading(0);
  await reading(10_000);
  await reading(60_000, { quiet: false, complete: false });
  t.like(use.requests('s'), { kind: 'unknown', message: 'a router does not answer' });
  await reading(1_000, { quiet: true, complete: true });
  t.deepEqual(use.requests('s'), idle(11), 'the time in between proves nothing');
  await reading(1_000, { uncounted: true });
  t.like(use.requests('s'), { kind: 'unknown', message: 'a router has no room to count in' });
});

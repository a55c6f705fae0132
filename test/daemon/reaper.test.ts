import test, { type ExecutionContext } from 'ava';
import pino from 'pino';
import { createMetrics } from '../../daemon/metrics.ts';
import { createReaper } from '../../daemon/reaper.ts';
import type { Reconciler } from '../../daemon/reconciler.ts';
import type { FleetActivity } from '../../daemon/routers/routers.ts';
import { type EndReason, newSession } from '../../daemon/session.ts';
import { createSessionStore } from '../../daemon/session-store.ts';
import { createRouterUse } from '../../daemon/status/router-use.ts';
import { createSignalReader } from '../../daemon/status/source.ts';
import { until } from '../support/poll.ts';

const IDLE_TIMEOUT_MS = 500;
const HOUR_MS = 3_600_000;
const SWEEP_MS = 100;
const ALL_SEEN: Omit<FleetActivity, 'sessions'> = {
  quiet: true,
  complete: true,
  boots: '',
  uncounted: false,
};

/** A reaper of one session, whose monotonic clock goes on by `SWEEP_MS` with each sweep. */
function start(t: ExecutionContext, active: number, maxLifetimeMs?: number) {
  const world = { clock: 0, sweeps: 0, reason: undefined as EndReason | undefined, swept: () => {} };
  const store = createSessionStore();
  const session = newSession(
    { id: 's', createdAt: Date.now(), labels: {}, idempotency: null, tokenEpoch: null },
    '',
  );
  store.add(session);
  session.state = 'ready';
  store.changed(session);
  const end = async (_: unknown, reason: EndReason) => {
    world.reason = reason;
    session.ending = reason;
    return true;
  };
  const activity = async () => {
    world.clock += SWEEP_MS;
    world.sweeps += 1;
    world.swept();
    return { ...ALL_SEEN, sessions: new Map([['s', { active, total: 1 }]]) };
  };
  const now = () => world.clock;
  const routerUse = createRouterUse({ activity }, store.usable, now);
  const reaper = createReaper({
    store,
    reconciler: { end, reap: end } as unknown as Reconciler,
    routerUse,
    readSignal: createSignalReader('router', routerUse),
    policy: { idleTimeoutMs: IDLE_TIMEOUT_MS, maxLifetimeMs, mostMisses: 5 },
    now,
    metrics: createMetrics({ sessionsByState: store.countByState, routers: () => [] }),
    log: pino({ level: 'silent' }),
  });
  reaper.start();
  t.teardown(reaper.stop);
  const sweeps = (count: number) => {
    const wanted = world.sweeps + count;
    return until(`${count} sweeps`, () => world.sweeps >= wanted);
  };
  return { world, session, store, sweeps };
}

// Serial: one of them sets the clock of all.
test.serial('a clock that is set forward ends nobody; time that passes does', async (t) => {
  const { world, sweeps } = start(t, 1, HOUR_MS);
  await sweeps(1);
  const { now } = Date;
  Date.now = () => now() + 2 * HOUR_MS;
  t.teardown(() => {
    Date.now = now;
  });
  await sweeps(2);
  t.is(world.reason, undefined);
  world.clock += HOUR_MS;
  await until('its end', () => world.reason);
  t.is(world.reason, 'max_lifetime');
});

test.serial('a session whose readiness flaps is reaped all the same', async (t) => {
  const { world, session, store } = start(t, 0);
  world.swept = () => {
    session.state = session.state === 'ready' ? 'starting' : 'ready';
    store.changed(session);
  };
  await until('its end', () => world.reason);
  t.is(world.reason, 'idle');
});

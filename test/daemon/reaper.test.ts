import test, { type ExecutionContext } from 'ava';
import pino from 'pino';
import { createMetrics } from '../../daemon/metrics.ts';
import { createReaper } from '../../daemon/reaper.ts';
import type { Reconciler } from '../../daemon/reconciler.ts';
import type { FleetActivity } from '../../daemon/routers/routers.ts';
import { type EndReason, newSession } from '../../daemon/session.ts';
import { createSessionStore } from '../../daemon/session-store.ts';
import { createRouterUse } from '../../daemon/status/router-use.ts';
import { createSignalReader, type ReadSignal } from '../../daemon/status/source.ts';
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

interface Settings {
  maxLifetimeMs?: number;
  /** By how much the clock goes on with each sweep. */
  sweepMs?: number;
  /** Else what the router counts is the signal. */
  readSignal?: ReadSignal;
}

/** A reaper of one session, whose monotonic clock goes on by a fixed time with each sweep. */
function start(t: ExecutionContext, active: number, settings: Settings = {}) {
  const { maxLifetimeMs, sweepMs = SWEEP_MS } = settings;
  const world = {
    clock: 0,
    sweeps: 0,
    looks: 0,
    active,
    reason: undefined as EndReason | undefined,
    swept: () => {},
  };
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
    world.clock += sweepMs;
    world.sweeps += 1;
    world.swept();
    return { ...ALL_SEEN, sessions: new Map([['s', { active: world.active, total: 1 }]]) };
  };
  const now = () => world.clock;
  const routerUse = createRouterUse({ activity }, store.usable, now);
  const readSignal = settings.readSignal ?? createSignalReader('router', routerUse);
  const reaper = createReaper({
    store,
    reconciler: { end, reap: end } as unknown as Reconciler,
    routerUse,
    readSignal(of) {
      world.looks += 1;
      return readSignal(of);
    },
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
  return { world, session, store, sweeps, reaper };
}

// Serial: one of them sets the clock of all.
test.serial('a clock that is set forward ends nobody; time that passes does', async (t) => {
  const { world, sweeps } = start(t, 1, { maxLifetimeMs: HOUR_MS });
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

const SHORT_SWEEP_MS = SWEEP_MS / 10;

test.serial(
  'an app is not asked again before its answer can matter, and its session is reaped on time',
  async (t) => {
    const reads: number[] = [];
    const { world } = start(t, 0, {
      sweepMs: SHORT_SWEEP_MS,
      readSignal: async () => {
        reads.push(world.clock);
        const signal = { kind: 'use', activeConnections: 0, secondsInactive: world.clock / 1000 } as const;
        return { source: 'app', signal, missed: false };
      },
    });
    await until('its end', () => world.reason);
    t.is(world.reason, 'idle');
    t.is(world.clock, IDLE_TIMEOUT_MS);
    t.true(reads.length < 10, `read at ${reads.join(', ')}`);
  },
);

test.serial('an app that answers no more is found out in time', async (t) => {
  const { world } = start(t, 0, {
    sweepMs: SHORT_SWEEP_MS,
    readSignal: async () => {
      if (world.clock > SHORT_SWEEP_MS)
        return { source: 'app', signal: { kind: 'unknown', message: 'refused' }, missed: true };
      const signal = { kind: 'use', activeConnections: 1, secondsInactive: 0 } as const;
      return { source: 'app', signal, missed: false };
    },
  });
  await until('its end', () => world.reason);
  t.is(world.reason, 'status_unreachable');
  t.true(world.clock <= IDLE_TIMEOUT_MS + 2 * SHORT_SWEEP_MS, `${world.clock} ms`);
});

test.serial(
  'what routers count is told as of the last sweep, and settles nothing until it can matter',
  async (t) => {
    const { world, session, sweeps, reaper } = start(t, 0, { sweepMs: SHORT_SWEEP_MS });
    await sweeps(5);
    t.is(world.looks, 1);
    t.like(reaper.inspection(session), {
      at: world.clock,
      signal: { secondsInactive: (world.clock - SHORT_SWEEP_MS) / 1000 },
    });
    world.active = 1;
    await sweeps(2);
    t.like(reaper.inspection(session), { verdict: { verdict: 'busy' }, signal: { activeConnections: 1 } });
    t.is(world.looks, 1);
    world.active = 0;
    await until('its end', () => world.reason);
    t.is(world.reason, 'idle');
  },
);

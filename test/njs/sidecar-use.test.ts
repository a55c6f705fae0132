import test from 'ava';
import fc from 'fast-check';
import { sidecarSettings } from '../../njs/sidecar-settings.ts';
import { nextUse, statusOf, type Use, unchangedUse } from '../../njs/sidecar-use.ts';

/** Samples a second apart, from second 100 on; each says which connections there are. */
function watch(samples: string[][], probeSeconds = 1, step = 1): Use {
  let use: Use | undefined;
  samples.forEach((connections, index) => {
    const at = 100 + index * step;
    use = nextUse(
      use,
      { before: at, after: at, inUse: '4', sockets: { listening: true, connections } },
      probeSeconds,
    );
  });
  return use as Use;
}

test('a connection counts once it has lasted for longer than a probe may', (t) => {
  t.is(watch([['a']]).active, 0);
  t.is(watch([['a'], ['a']]).active, 0);
  t.is(watch([['a'], ['a'], ['a']]).active, 1);
  t.is(watch([['a'], ['a'], ['a'], ['a', 'b']]).active, 1);
  t.is(watch(Array(6).fill(['a']), 5).active, 0);
  t.is(watch(Array(7).fill(['a']), 5).active, 1);
});

test('a connection that comes anew is a new one', (t) => {
  t.is(watch([['a'], ['a'], [], ['a'], ['a']]).active, 0);
});

test('idle time is counted from the last sample in which a counted connection was', (t) => {
  const use = watch([['a'], ['a'], ['a'], [], ['probe'], []]);
  t.deepEqual(statusOf(use, 107.25), { active_connections: 0, seconds_inactive: 5.25, listening: true });
  const never = watch([[], ['probe'], []]);
  t.deepEqual(statusOf(never, 103), { active_connections: 0, seconds_inactive: 3, listening: true });
  const now = watch([['a'], ['a'], ['a']]);
  t.deepEqual(statusOf(now, 102.9), { active_connections: 1, seconds_inactive: 0, listening: true });
});

test('a sidecar that was stopped within a sample does not take a probe for older than it is', (t) => {
  const probe = { inUse: '4', sockets: { listening: true, connections: ['probe'] } };
  const first = nextUse(undefined, { before: 100, after: 104, ...probe }, 1);
  const second = nextUse(first, { before: 105, after: 109, ...probe }, 1);
  t.is(second.active, 0);
});

test('tables that look unchanged are not read again, for a while', (t) => {
  const counted = watch([['a'], ['a'], ['a']]);
  t.like(unchangedUse(counted, '4', 103), { active: 1, at: 103, lookedAt: 102, lastActive: 103 });
  t.is(unchangedUse(counted, '5', 103), undefined);
  t.is(unchangedUse(counted, '4', 107), undefined);
  t.like(unchangedUse(watch([[], []]), '4', 103), { active: 0, at: 103, lastActive: 100 });
});

test('while a connection is young, or the kernel does not say how many there are, the tables are read', (t) => {
  t.is(unchangedUse(watch([['a'], ['a'], ['a'], ['a', 'b']]), '4', 104), undefined);
  t.is(unchangedUse({ ...watch([[]]), inUse: '' }, '', 101), undefined);
});

test('what nobody watched is not idle time', (t) => {
  const before = watch([[], [], []]);
  t.is(statusOf(before, 112)?.seconds_inactive, 12);
  t.is(statusOf(before, 113), undefined);
  const sockets = { listening: true, connections: [] };
  const after = nextUse(before, { before: 500, after: 500, inUse: '4', sockets }, 1);
  t.is(statusOf(after, 501)?.seconds_inactive, 1);
});

test('however many connections there are, memory is bounded and all are counted in the end', (t) => {
  const many = Array.from({ length: 5000 }, (_, index) => `c${index}`);
  const use = watch([many, many, many]);
  t.is(use.active, 5000);
  t.true(Object.keys(use.since).length <= 1000);
  t.is(watch([many, many, many, ['c0']]).active, 1);
});

test('probes alone never count, and a lasting connection among them always does', (t) => {
  const probeSeconds = fc.integer({ min: 1, max: 5 });
  // When each probe begins, in tenths of a second, and how much of its time it takes.
  const probes = fc.array(fc.tuple(fc.nat(200), fc.double({ min: 0, max: 1, noNaN: true })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(probeSeconds, probes, fc.integer({ min: 2, max: 10 }), (limit, all, tenths) => {
      const step = tenths / 10;
      const times = Array.from({ length: 100 }, (_, index) => index * step);
      const samples = times.map((now) =>
        all
          .map(([begin, part], index) => ({
            begin: begin / 10,
            end: begin / 10 + part * limit,
            name: `p${index}`,
          }))
          .filter(({ begin, end }) => begin <= now && now <= end)
          .map(({ name }) => name),
      );
      t.is(watch(samples, limit, step).lastActive, 100);
      t.is(
        watch(
          samples.map((probing) => [...probing, 'visitor']),
          limit,
          step,
        ).active,
        1,
      );
    }),
    { numRuns: 50 },
  );
});

test('settings come from the environment, and a wrong one is named', (t) => {
  t.deepEqual(sidecarSettings({ SPAWNER_APPLICATION_PORT: '8080' }), { port: 8080, probeSeconds: 1 });
  const env = { SPAWNER_APPLICATION_PORT: '80', SPAWNER_PROBE_SECONDS: '30' };
  t.deepEqual(sidecarSettings(env), { port: 80, probeSeconds: 30 });
  for (const port of [undefined, '', '0', '65536', '80a', '-1', '1e3']) {
    t.throws(() => sidecarSettings({ SPAWNER_APPLICATION_PORT: port }), {
      message: /^SPAWNER_APPLICATION_PORT is ".*": set a whole number from 1 to 65535$/,
    });
  }
  t.throws(() => sidecarSettings({ ...env, SPAWNER_PROBE_SECONDS: '0' }), {
    message: /^SPAWNER_PROBE_SECONDS/,
  });
});

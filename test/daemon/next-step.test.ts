import test from 'ava';
import { facedHurdle, ifReachable, nextStep } from '../../daemon/next-step.ts';
import type { Observation } from '../../daemon/runtime/runtime.ts';
import type { Session } from '../../daemon/session.ts';

const starting = {
  state: 'starting',
  ending: undefined,
  readyAt: undefined,
  hurdle: undefined,
  waitingSince: 1_000,
  backend: undefined,
} as const;
const waits = { phase: 'starting', lacks: 'nothing listens' } as const;
const ready = { ...starting, state: 'ready', readyAt: 1_500, backend: '127.0.0.1:20000' } as const;
const exited: Observation = {
  phase: 'exited',
  failure: { code: 'app_exited', message: 'code 1', exitCode: 1 },
};
const listening: Observation = { phase: 'listening', backend: '127.0.0.1:20000' };

type Known = Pick<Session, 'state' | 'ending' | 'readyAt' | 'waitingSince' | 'backend' | 'hurdle'>;
const step = (session: Known, observed: Observation, now = 2_000) => nextStep(session, observed, now, 5_000);

test('a session that starts waits until its deadline and then has failed', (t) => {
  t.deepEqual(step(starting, waits), { do: 'look again', inMs: 4_000 });
  t.like(step(starting, waits, 6_000), {
    do: 'fail',
    failure: { code: 'app_start_timeout' },
  });
});

test('it becomes ready once somebody listens, also when the deadline is over by then', (t) => {
  t.deepEqual(step(starting, listening), { do: 'become ready', place: listening });
  t.deepEqual(step(starting, listening, 60_000), { do: 'become ready', place: listening });
});

test('a ready session stays as it is, and follows its app to another address', (t) => {
  t.deepEqual(step(ready, listening), { do: 'nothing' });
  const moved: Observation = { phase: 'listening', backend: '[::1]:20000', statusAddress: '[::1]:9118' };
  t.deepEqual(step(ready, moved), { do: 'become ready', place: moved });
});

test('a session whose app serves no more is held, and fails when that lasts', (t) => {
  t.deepEqual(step(ready, waits), { do: 'stop serving', why: 'nothing listens' });
  const held = { ...starting, readyAt: 1_500, waitingSince: 10_000 };
  t.deepEqual(step(held, waits, 11_000), { do: 'look again', inMs: 4_000 });
  t.like(step(held, waits, 15_000), { do: 'fail', failure: { code: 'app_unready' } });
});

test('trouble that may pass fails a session when its own patience is over', (t) => {
  const failure = { code: 'unschedulable', message: 'no node' } as const;
  const hurdle = { ...waits, hurdle: { failure, patienceMs: 3_000 } };
  const faced = facedHurdle(undefined, hurdle, 2_000);
  t.deepEqual(facedHurdle(faced, hurdle, 2_500), faced, 'it is still the same');
  t.is(facedHurdle(faced, waits, 2_500), undefined, 'it has passed');
  t.deepEqual(step({ ...starting, hurdle: faced }, hurdle), { do: 'look again', inMs: 3_000 });
  t.deepEqual(step({ ...starting, hurdle: faced }, hurdle, 4_999), { do: 'look again', inMs: 1 });
  t.deepEqual(step({ ...starting, hurdle: faced }, hurdle, 5_000), { do: 'fail', failure });
});

test('a session that is in doubt is served on, and fails when that lasts', (t) => {
  const doubted: Observation = { ...listening, doubt: 'nobody has heard of its node' };
  t.deepEqual(step(starting, doubted), { do: 'become ready', place: doubted });
  const hurdle = facedHurdle(undefined, doubted, 2_000);
  t.is(facedHurdle(hurdle, listening, 2_500), undefined, 'it has passed');
  t.deepEqual(step({ ...ready, hurdle }, doubted, 3_000), { do: 'look again', inMs: 4_000 });
  t.deepEqual(step({ ...ready, hurdle }, doubted, 7_000), {
    do: 'fail',
    failure: { code: 'app_unready', message: 'For 5 s (--start-timeout) nobody has heard of its node.' },
  });
});

test('an app that exits or is gone makes its session failed', (t) => {
  for (const session of [starting, ready]) {
    t.deepEqual(step(session, exited), { do: 'fail', failure: exited.failure });
    t.like(step(session, { phase: 'missing' }), { do: 'fail', failure: { code: 'app_lost' } });
  }
});

test('a session that has to go ends, whatever its app does', (t) => {
  for (const observed of [exited, listening, { phase: 'missing' }, waits] as const) {
    t.deepEqual(step({ ...ready, ending: 'idle' }, observed), { do: 'end' });
  }
});

test('an ended session only needs cleaning up, once', (t) => {
  for (const state of ['failed', 'gone'] as const) {
    t.deepEqual(step({ ...ready, state }, exited), { do: 'clean up' });
    t.deepEqual(step({ ...ready, state }, { phase: 'missing' }), { do: 'nothing' });
  }
});

test('a session fails that listens where no route may lead', (t) => {
  const at = (backend: string, refusedBy: string[] = []) =>
    ifReachable({ phase: 'listening', backend, statusAddress: '10.0.0.1:9118' }, refusedBy);
  for (const backend of ['10.0.0.1:80', '127.0.0.1:20000', '[::1]:20000', '[fd00::7]:8080']) {
    t.deepEqual(at(backend), { phase: 'listening', backend, statusAddress: '10.0.0.1:9118' });
  }
  for (const backend of ['169.254.169.254:80', '0.0.0.0:80', '[fe80::1]:80', '224.0.0.1:80', 'host:80', '']) {
    t.like(at(backend), { phase: 'exited', failure: { code: 'backend_refused' } }, backend);
  }
  const refused = at('10.0.0.1:80', ['unix:/a', 'unix:/b']);
  const message = /unix:\/a, unix:\/b may not lead to 10\.0\.0\.1:80.*--backend/;
  t.regex(refused.phase === 'exited' ? refused.failure.message : '', message);
  t.deepEqual(ifReachable(waits, ['unix:/a']), waits);
});

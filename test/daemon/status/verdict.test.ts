import test from 'ava';
import { judge, type Signal } from '../../../daemon/status/verdict.ts';

const policy = { idleTimeoutMs: 30_000, maxLifetimeMs: undefined, mostMisses: 3 };
const use = (activeConnections: number, secondsInactive: number): Signal => {
  return { kind: 'use', activeConnections, secondsInactive };
};
const unknown: Signal = { kind: 'unknown', message: 'no answer' };

test('whoever is connected keeps a session, however long they were silent', (t) => {
  t.deepEqual(judge(use(1, 0), 0, 0, policy), { verdict: 'busy' });
  t.deepEqual(judge(use(1, 99_999), 0, 0, policy), { verdict: 'busy' });
});

test('an idle session is reaped when its time is over and not before', (t) => {
  t.deepEqual(judge(use(0, 0), 0, 0, policy), { verdict: 'idle', secondsLeft: 30 });
  t.deepEqual(judge(use(0, 29), 0, 0, policy), { verdict: 'idle', secondsLeft: 1 });
  t.deepEqual(judge(use(0, 30), 0, 0, policy), { verdict: 'reap', reason: 'idle' });
});

test('unknown is never idle, and ends a session only after its number of misses', (t) => {
  t.deepEqual(judge(unknown, 0, 0, policy), { verdict: 'unknown', missesLeft: 3 });
  t.deepEqual(judge(unknown, 2, 0, policy), { verdict: 'unknown', missesLeft: 1 });
  t.deepEqual(judge(unknown, 3, 0, policy), { verdict: 'reap', reason: 'status_unreachable' });
});

test('a maximal lifetime ends busy sessions too', (t) => {
  const short = { ...policy, maxLifetimeMs: 60_000 };
  t.deepEqual(judge(use(5, 0), 0, 59_999, short), { verdict: 'busy' });
  t.deepEqual(judge(use(5, 0), 0, 60_000, short), { verdict: 'reap', reason: 'max_lifetime' });
});

import test from 'ava';
import { bornAt, certainMs, isTooOld, judge, type Signal } from '../../../daemon/status/verdict.ts';

const policy = { idleTimeoutMs: 30_000, maxLifetimeMs: undefined, mostMisses: 3 };
const use = (activeConnections: number, secondsInactive: number): Signal => {
  return { kind: 'use', activeConnections, secondsInactive };
};
const unknown: Signal = { kind: 'unknown', message: 'no answer' };
const heard = { misses: 0, unheardMs: 0, routers: use(0, 0) };
const silent = { misses: 3, unheardMs: 30_000, routers: use(0, 30) };

test('whoever is connected keeps a session, however long they were silent', (t) => {
  t.deepEqual(judge(use(1, 0), heard, policy), { verdict: 'busy' });
  t.deepEqual(judge(use(1, 99_999), heard, policy), { verdict: 'busy' });
});

test('an idle session is reaped when its time is over and not before', (t) => {
  t.deepEqual(judge(use(0, 0), heard, policy), { verdict: 'idle', secondsLeft: 30 });
  t.deepEqual(judge(use(0, 29), heard, policy), { verdict: 'idle', secondsLeft: 1 });
  t.deepEqual(judge(use(0, 30), heard, policy), { verdict: 'reap', reason: 'idle' });
});

test('who is connected, or was lately, can not be idle for too long before that time has passed', (t) => {
  t.is(certainMs(judge(use(1, 0), heard, policy), policy), 30_000);
  t.is(certainMs(judge(use(0, 0), heard, policy), policy), 30_000);
  t.is(certainMs(judge(use(0, 29), heard, policy), policy), 1_000);
  t.is(certainMs(judge(use(0, 30), heard, policy), policy), 0);
  t.is(certainMs(judge(unknown, silent, policy), policy), 0);
});

test('unknown is never idle: without a miss nothing counts down', (t) => {
  const routers = use(0, 9_999);
  t.deepEqual(judge(unknown, { ...heard, routers }, policy), { verdict: 'unknown', left: undefined });
});

test('an unreachable status ends a session after its misses and after the idle timeout, whichever is later', (t) => {
  const verdict = (change: object) => judge(unknown, { ...silent, ...change }, policy);
  const left = (misses: number, seconds: number) => ({ verdict: 'unknown', left: { misses, seconds } });
  t.deepEqual(verdict({ misses: 1, unheardMs: 0 }), left(2, 30));
  t.deepEqual(verdict({ misses: 2 }), left(1, 0));
  t.deepEqual(verdict({ misses: 9, unheardMs: 5_100 }), left(0, 24.9), 'a break in the network');
  t.deepEqual(verdict({ routers: use(0, 0.3) }), left(0, 29.7), 'a router saw a request');
  t.deepEqual(verdict({}), { verdict: 'reap', reason: 'status_unreachable' });
});

test('an unreachable status ends nobody whom a router sees, or whom none can see', (t) => {
  const verdict = (routers: Signal) => judge(unknown, { ...silent, routers }, policy);
  t.like(verdict(use(1, 0)), {
    verdict: 'kept',
    why: 'its status is unreachable, but a router sees visitors',
  });
  t.like(verdict({ kind: 'unknown', message: 'a router does not answer' }), {
    verdict: 'kept',
    why: 'its status is unreachable, and a router does not answer',
  });
});

test('a lifetime is over when its time is, used or not', (t) => {
  t.false(isTooOld(59_999, { maxLifetimeMs: 60_000 }));
  t.true(isTooOld(60_000, { maxLifetimeMs: 60_000 }));
  t.false(isTooOld(60_000, { maxLifetimeMs: undefined }));
});

test('a birth on the monotonic clock is as long ago as on the wall clock', (t) => {
  t.is(bornAt(1_000_000, { wall: 1_005_000, monotonic: 7_000 }), 2_000);
  t.is(
    bornAt(1_000_000, { wall: 1_009_000, monotonic: 7_000 }),
    -2_000,
    'before this machine or daemon began',
  );
  t.is(bornAt(1_000_000, { wall: 999_000, monotonic: 7_000 }), 7_000, 'never in the future');
});

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { childrenOf, cpuSeconds, pssBytes } from '../../../scripts/bench/process-use.ts';
import { until } from '../../support/poll.ts';

test('CPU time grows with work, and not without', async (t) => {
  const [busy, idle] = [spawn('sh', ['-c', 'while :; do :; done']), spawn('sleep', ['60'])];
  t.teardown(() => [busy, idle].forEach((child) => void child.kill('SIGKILL')));
  await until('half a second of work', () => cpuSeconds(busy.pid as number) > 0.5);
  t.true(cpuSeconds(idle.pid as number) < 0.1);
});

test('memory grows with what is kept', async (t) => {
  const size = 64 * 1024 * 1024;
  const programs = ['', `globalThis.kept = Buffer.alloc(${size}, 1);`];
  const [small, large] = programs.map((keep) =>
    spawn(process.execPath, ['-e', `${keep} setInterval(() => {}, 1000); console.log('kept')`]),
  ) as [ChildProcessWithoutNullStreams, ChildProcessWithoutNullStreams];
  t.teardown(() => [small, large].forEach((child) => void child.kill('SIGKILL')));
  await Promise.all([small, large].map((child) => once(child.stdout, 'data')));
  const more = pssBytes(large.pid as number) - pssBytes(small.pid as number);
  t.true(more > 0.8 * size && more < 2 * size, `${more} bytes`);
});

test('children are found while they live, and what is gone is an error', async (t) => {
  const child = spawn('sleep', ['60']);
  const pid = child.pid as number;
  t.true(childrenOf(process.pid).includes(pid));
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.false(childrenOf(process.pid).includes(pid));
  t.throws(() => pssBytes(pid), { code: 'ENOENT' });
});

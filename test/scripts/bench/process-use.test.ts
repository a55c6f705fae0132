import { spawn } from 'node:child_process';
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

test('memory grows with what is kept', (t) => {
  const before = pssBytes(process.pid);
  const kept = Buffer.alloc(64 * 1024 * 1024, 1);
  const grown = pssBytes(process.pid) - before;
  t.true(grown > 0.8 * kept.length && grown < 2 * kept.length, `${grown} bytes`);
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

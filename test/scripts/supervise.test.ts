import { spawn } from 'node:child_process';

import test, { type ExecutionContext } from 'ava';
import { identify } from '../../daemon/runtime/process/proc.ts';
import { diesTooOften, ExplainedError, supervise } from '../../scripts/supervise.ts';
import { until } from '../support/poll.ts';

test('five deaths within ten seconds are too many', (t) => {
  t.false(diesTooOften([]));
  t.false(diesTooOften([0, 1, 2, 3]));
  t.true(diesTooOften([0, 1, 2, 3, 10_000]));
  t.false(diesTooOften([0, 1, 2, 3, 10_001]));
  t.true(diesTooOften([0, 60_000, 60_001, 60_002, 60_003, 60_004]), 'only the last ones count');
});

test('a program that dies is tidied up after and started again', async (t) => {
  const { supervised, leaders, happened } = watch(t, 'exec sleep 1000');
  supervised.mend();
  process.kill(leaders[0] as number, 'SIGKILL');
  await until('the second start', () => leaders.length === 2);
  t.deepEqual(happened, ['tidied', 'it was killed (SIGKILL), starting it again', 'tidied']);
});

test('a program that keeps dying is given up', async (t) => {
  const { supervised, leaders } = watch(t, 'exit 3');
  supervised.mend();
  await t.throwsAsync(supervised.lost, {
    message: 'it died 5 times within 10 s, lastly it exited with code 3',
  });
  t.is(leaders.length, 5);
});

test('a program that dies before it may be mended is not started again', async (t) => {
  const { supervised, leaders } = watch(t, 'exit 3');
  await t.throwsAsync(supervised.lost, { message: 'it exited with code 3' });
  t.is(leaders.length, 1);
});

test('what a program explains itself is known to be explained', async (t) => {
  await t.throwsAsync(watch(t, 'exit 2', true).supervised.lost, { instanceOf: ExplainedError });
  const { supervised, leaders } = watch(t, 'exec sleep 1000', true);
  process.kill(leaders[0] as number, 'SIGKILL');
  await t.throwsAsync(supervised.lost, { message: 'it was killed (SIGKILL)' });
});

test('a program that does not exist is lost, and needs no stop', async (t) => {
  const start = () => spawn('/nowhere/nothing');
  const supervised = supervise(
    { name: 'it', start, tidy: () => {}, explains: false, endsGroup: true },
    () => {},
  );
  await t.throwsAsync(supervised.lost, { message: /^it can't be started: .*ENOENT/ });
  await t.notThrowsAsync(supervised.stop('SIGTERM', 1_000));
});

test('what is left of a group ends with its leader', async (t) => {
  const { leaders, said } = watch(t, 'sleep 1000 & echo $!; wait');
  const member = await until('its pid', () => Number(said()));
  t.truthy(await identify(member));
  process.kill(leaders[0] as number, 'SIGKILL');
  await t.notThrowsAsync(until('its end', async () => !(await identify(member))));
});

test('a stop is final, and forced on a program that does not listen', async (t) => {
  const { supervised, leaders, said } = watch(t, "trap '' TERM; echo deaf; while :; do sleep 0.05; done");
  supervised.mend();
  await until('it to be deaf', () => said() === 'deaf\n');
  await supervised.stop('SIGTERM', 100);
  t.is(await identify(leaders[0] as number), undefined);
  t.is(leaders.length, 1);
});

/** A shell script under supervision: the pids of its runs, what happened to them, and what they printed. */
function watch(t: ExecutionContext, script: string, explains = false) {
  const leaders: number[] = [];
  const happened: string[] = [];
  let said = '';
  const start = () => {
    const child = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.on('data', (data) => {
      said += data;
    });
    leaders.push(child.pid as number);
    return child;
  };
  const program = { name: 'it', start, tidy: () => happened.push('tidied'), explains, endsGroup: true };
  const supervised = supervise(program, (line) => happened.push(line));
  t.teardown(() => supervised.stop('SIGKILL', 0));
  return { supervised, leaders, happened, said: () => said };
}

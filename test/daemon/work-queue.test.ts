import test from 'ava';
import { coalesce } from '../../daemon/coalesce.ts';
import { createWorkQueue } from '../../daemon/work-queue.ts';

/** A promise to settle from outside. */
function deferred() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, resolve };
}

test('one key: one at a time, and asking twice for what has not begun is asking once', async (t) => {
  const gate = deferred();
  const done = deferred();
  let running = 0;
  let most = 0;
  let runs = 0;
  const queue = createWorkQueue(async () => {
    running += 1;
    most = Math.max(most, running);
    runs += 1;
    await gate.promise;
    running -= 1;
    if (runs === 2) done.resolve();
  }, t.fail);
  queue.add('a');
  await Promise.resolve();
  queue.add('a');
  queue.add('a');
  queue.add('a');
  gate.resolve();
  await done.promise;
  await queue.exclusive('a', async () => {});
  t.is(most, 1);
  t.is(runs, 2);
});

test('keys do not wait for each other', async (t) => {
  const gate = deferred();
  const reached = deferred();
  const queue = createWorkQueue((key) => {
    if (key === 'b') reached.resolve();
    return gate.promise;
  }, t.fail);
  queue.add('a');
  queue.add('b');
  await reached.promise;
  gate.resolve();
  t.pass();
});

test('work that throws is told and done again', async (t) => {
  const done = deferred();
  const told: string[] = [];
  let runs = 0;
  const queue = createWorkQueue(
    async () => {
      runs += 1;
      if (runs < 3) throw new Error(`failed ${runs}`);
      done.resolve();
    },
    (key, error) => told.push(`${key}: ${error.message}`),
  );
  queue.add('a');
  await done.promise;
  t.deepEqual(told, ['a: failed 1', 'a: failed 2']);
});

test('exclusive work gives its result, passes its error on and does not stop the line', async (t) => {
  const queue = createWorkQueue(async () => {}, t.fail);
  t.is(await queue.exclusive('a', async () => 42), 42);
  await t.throwsAsync(
    queue.exclusive('a', () => Promise.reject(new Error('no'))),
    { message: 'no' },
  );
  t.is(await queue.exclusive('a', async () => 43), 43);
});

test('coalesced calls each get a run that began after them', async (t) => {
  let begun = 0;
  const gates = [deferred(), deferred(), deferred()];
  const call = coalesce(async () => {
    const run = begun;
    begun += 1;
    await gates[run]?.promise;
    return run;
  });
  const first = call();
  const second = call();
  const third = call();
  t.is(begun, 1);
  gates[0]?.resolve();
  gates[1]?.resolve();
  t.deepEqual(await Promise.all([first, second, third]), [0, 1, 1]);
});

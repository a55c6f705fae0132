import test from 'ava';
import { until } from '../support/poll.ts';
import { type Installation, install } from './support/install.ts';
import { objectsOf, outside } from './support/outside.ts';

const SESSIONS = 100;
/** One node of two CPUs starts them one after the other. */
const MOST_SECONDS = 240;

let spawner: Installation;
test.before(async () => {
  spawner = await install({
    SPAWNER_START_TIMEOUT: `${MOST_SECONDS}s`,
    SPAWNER_STOP_GRACE: '1s',
    SPAWNER_MAX_CPU: '1',
  });
});
test.after.always(() => spawner?.remove());

test(`${SESSIONS} sessions at once`, async (t) => {
  const { start, visit, end, living } = await outside(t, spawner, { answerSeconds: MOST_SECONDS });
  const each = <T>(work: (index: number) => Promise<T>) =>
    Promise.all(Array.from({ length: SESSIONS }, (_, index) => work(index)));
  const startedAt = performance.now();
  const since = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;

  const times: number[] = [];
  const sessions = await each(async () => {
    const session = await start({ resources: { requests: { cpu: '1m' } } });
    times.push(performance.now() - startedAt);
    return session;
  });
  const ids = sessions.map(({ id }) => id);
  const median = ((times[SESSIONS / 2] as number) / 1000).toFixed(1);
  t.log(`the first half was ready within ${median} s, all after ${since()}`);
  t.is(new Set(ids).size, SESSIONS);
  const answers = await Promise.all(ids.map((id) => visit(id, 'session')));
  t.deepEqual(
    answers.map(({ body }) => JSON.parse(body).session),
    ids,
    'each serves its own',
  );
  t.log(`all were visited after ${since()}`);

  await Promise.all(ids.map(end));
  await until('all Pods and Services to be gone', async () => (await objectsOf()).length === 0, 150);
  t.log(`nothing was left after ${since()}`);
  t.deepEqual(await living(), []);
});

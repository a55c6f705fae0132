import { BEGAN } from '../../njs/activity.ts';
import { insertBefore } from '../support/bundle.ts';
import { ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

/**
 * What the daemon relies on to end a session: once it has written `draining` and then read a count of zero, no
 * request reaches the backend any more. So nobody is accepted and then cut off.
 */
testOnEachStack(
  'after draining and a count of zero nothing reaches the backend',
  {},
  async (t, { router, backend }) => {
    // Each request dawdles between reading its route and being counted: the moment that the promise is about.
    const dawdle = 'const end = Date.now() + 15; while (Date.now() < end) {}';
    await insertBefore(router, `counts.incr(mark, ${BEGAN + 1}, 0);`, dawdle);
    for (let round = 0; round < 6; round += 1) {
      const id = String(round).padStart(26, 'd');
      const app = await backend(id);
      await router.admin.put(id, 'ready', app.address);

      let stopped = false;
      let served = 0;
      let refused = 0;
      const client = async () => {
        while (!stopped) {
          const answer = await ask(router.publicSocket, `/p/${id}/`);
          served += answer.status === 200 ? 1 : 0;
          refused += answer.status === 503 && answer.headers['retry-after'] === '1' ? 1 : 0;
          t.true(answer.status === 200 || answer.status === 503);
        }
      };
      const clients = Array.from({ length: 2 }, client);
      await until('traffic', () => served > 3);
      await router.admin.put(id, 'draining', app.address);
      await until('the session to be quiet', async () => (await router.admin.activity(id)).active === 0);
      const reached = app.seen.length;
      const before = refused;
      await until('more traffic', () => refused > before + 10);
      stopped = true;
      await Promise.all(clients);

      t.is(app.seen.length, reached);
      t.is(served, reached, 'every request that got in was served');
      t.deepEqual(await router.admin.activity(id), { active: 0, total: reached });
    }
  },
);

testOnEachStack(
  'a draining session keeps what it has and says so to what comes',
  {},
  async (t, { router, backend }) => {
    const A = idOf('a');
    const app = await backend('A');
    await router.admin.put(A, 'draining', app.address);
    const answer = await ask(router.publicSocket, `/p/${A}/`, { method: 'POST', body: 'x'.repeat(100_000) });
    t.is(answer.status, 503);
    t.is(JSON.parse(answer.body).error.code, 'session_draining');
    await router.admin.put(A, 'ready', app.address);
    t.is((await ask(router.publicSocket, `/p/${A}/`)).status, 200, 'it can be revived');
  },
);

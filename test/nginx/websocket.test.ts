import { until } from '../support/poll.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';
import { connectWebSocket, say } from '../support/web-socket.ts';

const A = idOf('a');

testOnEachStack(
  'thousands of route changes leave workers and WebSockets alone',
  {},
  async (t, { router, backend }) => {
    const app = await backend('A');
    await router.admin.put(A, 'ready', app.address);
    const workers = await router.workerPids();
    const sockets = await Promise.all(
      Array.from({ length: 20 }, () => connectWebSocket(router.publicSocket, `/p/${A}/`)),
    );

    const others = Array.from({ length: 250 }, (_, index) => String(index).padStart(26, 'w'));
    for (let generation = 1000; generation < 1020; generation += 1) {
      const put = Object.fromEntries(
        others.map((id) => [id, { state: 'ready', address: `10.0.0.1:${generation}` }]),
      );
      await router.admin.call('POST', '/v1/routes', { generation, put });
      const answer = await router.admin.call('POST', '/v1/routes', { generation, delete: others });
      t.is(answer.status, 200);
    }

    t.deepEqual(await router.workerPids(), workers);
    for (const socket of sockets) {
      t.is(await say(socket, 'still here'), 'A:still here');
      socket.close();
    }
    await until('the counts', async () => (await router.admin.activity(A)).active === 0);
    t.deepEqual(await router.admin.activity(A), { active: 0, total: 20 });
  },
);

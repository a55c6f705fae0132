import { once } from 'node:events';
import { connect } from 'node:net';
import type { WebSocket } from 'ws';
import { startBackend } from '../support/backend.ts';
import { ask, open } from '../support/http.ts';
import { until } from '../support/poll.ts';
import type { Router } from '../support/router.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';
import { connectWebSocket } from '../support/web-socket.ts';

const A = idOf('a');
const B = idOf('b');

testOnEachStack('what runs is counted while it runs', {}, async (t, { router, backend }) => {
  await router.admin.put(A, 'ready', (await backend('A')).address);
  await router.admin.put(B, 'ready', (await backend('B')).address);
  const sockets = await webSockets(router, A, 10);
  t.deepEqual(await router.admin.activity(A), { active: 10, total: 10 });
  await close(sockets.splice(0, 4));
  await becomes(router, A, 6);
  for (const socket of sockets.splice(0, 3)) {
    socket.terminate();
  }
  await becomes(router, A, 3);
  t.is((await ask(router.publicSocket, `/p/${A}/`)).status, 200);
  await close(sockets);
  await becomes(router, A, 0);
  t.deepEqual(await router.admin.activity(A), { active: 0, total: 11 });
  t.deepEqual(await router.admin.activity(B), { active: 0, total: 0 });
});

testOnEachStack('a client that goes away in the middle is no longer counted', {}, async (t, { router }) => {
  const app = await startBackend('A', (_, response) => {
    response.write('a part');
  });
  t.teardown(() => app.stop());
  await router.admin.put(A, 'ready', app.address);
  const answers = await Promise.all(Array.from({ length: 5 }, () => open(router.publicSocket, `/p/${A}/`)));
  t.is((await router.admin.activity(A)).active, 5);
  for (const answer of answers) {
    answer.destroy();
  }
  await becomes(router, A, 0);
  t.pass();
});

testOnEachStack('a connection that is only kept open is not activity', {}, async (t, { router, backend }) => {
  await router.admin.put(A, 'ready', (await backend('A')).address);
  const socket = connect(router.publicSocket);
  t.teardown(() => socket.destroy());
  socket.write(`GET /p/${A}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, 'data');
  await becomes(router, A, 0);
  t.is((await router.admin.activity(A)).total, 1);
  socket.write(`GET /p/${A}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
  await once(socket, 'data');
  await until('the second request', async () => (await router.admin.activity(A)).total === 2);
});

testOnEachStack('what is not let in is not counted', {}, async (t, { router }) => {
  await router.admin.put(A, 'draining', '127.0.0.1:1');
  for (const path of [`/p/${A}/`, `/p/${A}`, `/p/${B}/`, `/p/${A}/../x`, `/p/-/wait/${A}`]) {
    await ask(router.publicSocket, path);
  }
  t.deepEqual((await router.admin.call('GET', '/v1/activity')).body.sessions, {});
});

testOnEachStack('a reload keeps the counts of what it leaves running', {}, async (t, { router, backend }) => {
  await router.admin.put(A, 'ready', (await backend('A')).address);
  const old = await webSockets(router, A, 6);
  await router.reload();
  const young = await webSockets(router, A, 4);
  t.deepEqual(await router.admin.activity(A), { active: 10, total: 10 });
  await close(old);
  await becomes(router, A, 4);
  await close(young);
  await becomes(router, A, 0);
  await until('the old workers to be gone', async () => (await router.workerPids()).length === 2);
  t.deepEqual(await router.admin.activity(A), { active: 0, total: 10 }, 'a total never falls');
});

testOnEachStack('what a killed worker had counted is forgotten', {}, async (t, { router, backend }) => {
  await router.admin.put(A, 'ready', (await backend('A')).address);
  const sockets = await webSockets(router, A, 12);
  const isOpen = (socket: WebSocket) => socket.readyState === socket.OPEN;
  const workers = await router.workerPids();
  for (const pid of workers) {
    process.kill(pid, 'SIGKILL');
    await until('nginx to replace its worker', async () => !(await router.workerPids()).includes(pid));
    await until('the counts to match', async () => {
      return (await router.admin.activity(A)).active === sockets.filter(isOpen).length;
    });
  }
  t.deepEqual(sockets.filter(isOpen), []);
  t.deepEqual(await router.admin.activity(A), { active: 0, total: 12 });
  t.is((await ask(router.publicSocket, `/p/${A}/`)).status, 200);
});

testOnEachStack('a session that is over leaves no count behind', {}, async (t, { router, backend }) => {
  await router.admin.put(A, 'ready', (await backend('A')).address);
  await router.admin.fill();
  const [socket] = await webSockets(router, A, 1);
  await router.admin.call('POST', '/v1/routes', { generation: 50, delete: [A] });
  await router.admin.call('POST', '/v1/routes', { generation: 50, forget: [A] });
  t.is((await router.admin.activity(A)).active, 1, 'its last connection still runs');
  await close([socket as WebSocket]);
  await until('its key to go', async () => {
    return !(A in (await router.admin.call('GET', '/v1/activity')).body.sessions);
  });
  t.pass();
});

function webSockets(router: Router, id: string, count: number): Promise<WebSocket[]> {
  return Promise.all(Array.from({ length: count }, () => connectWebSocket(router.publicSocket, `/p/${id}/`)));
}

async function close(sockets: WebSocket[]): Promise<void> {
  const closed = sockets.map((socket) => once(socket, 'close'));
  for (const socket of sockets) {
    socket.close();
  }
  await Promise.all(closed);
}

function becomes(router: Router, id: string, active: number): Promise<boolean> {
  return until(`${active} counted`, async () => (await router.admin.activity(id)).active === active);
}

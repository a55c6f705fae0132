import { once } from 'node:events';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { startUploadBackend } from '../support/backend.ts';
import { type Answer, ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import type { Router } from '../support/router.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';
import { connectWebSocket, say } from '../support/web-socket.ts';

const A = idOf('a');
const PATH = `/p/${A}/x?y=%2f`;

testOnEachStack('requests wait for their session, and then reach it', {}, async (t, { router, backend }) => {
  const app = await backend('A');
  await router.admin.put(A, 'starting');
  const held = ['GET', 'POST', 'HEAD', 'DELETE'].map((method) => ask(router.publicSocket, PATH, { method }));
  t.is(await firstOf(router, held), undefined, 'nothing is answered while the session starts');
  await router.admin.put(A, 'ready', app.address);
  for (const answer of await Promise.all(held)) {
    t.is(answer.status, 200);
  }
  t.deepEqual(app.seen, ['/x?y=%2f', '/x?y=%2f', '/x?y=%2f', '/x?y=%2f']);
  await until('the counts', async () => (await router.admin.activity(A)).active === 0);
  t.is((await router.admin.activity(A)).total, 4);
});

testOnEachStack('a WebSocket handshake waits too', {}, async (t, { router, backend }) => {
  const app = await backend('A');
  await router.admin.put(A, 'starting');
  const held = connectWebSocket(router.publicSocket, `/p/${A}/`);
  t.is(await firstOf(router, [held]), undefined);
  await router.admin.put(A, 'ready', app.address);
  const socket = await held;
  t.is(await say(socket, 'hello'), 'A:hello');
  t.deepEqual(await router.admin.activity(A), { active: 1, total: 1 });
  socket.close();
});

testOnEachStack('an upload that waited still streams', {}, async (t, { router }) => {
  const app = await startUploadBackend();
  t.teardown(() => app.stop());
  await router.admin.put(A, 'starting');
  const upload = new Readable({ read() {} });
  const held = ask(router.publicSocket, PATH, { method: 'POST', body: upload });
  upload.push('first');
  t.is(await firstOf(router, [held]), undefined);
  await router.admin.put(A, 'ready', app.address);
  t.is(await app.first, 'first');
  upload.push('last');
  upload.push(null);
  t.is((await held).body, 'all of it');
});

testOnEachStack('100-continue waits with its request', {}, async (t, { router, backend }) => {
  const app = await backend('A');
  await router.admin.put(A, 'starting');
  const headers = { expect: '100-continue', 'content-length': '5' };
  const outgoing = request({ socketPath: router.publicSocket, path: PATH, method: 'POST', headers });
  outgoing.flushHeaders();
  const go = once(outgoing, 'continue');
  t.is(await firstOf(router, [go]), undefined);
  await router.admin.put(A, 'ready', app.address);
  await go;
  outgoing.end('hello');
  const [incoming] = await once(outgoing, 'response');
  t.is(JSON.parse(String((await once(incoming, 'data'))[0])).bytes, 5);
});

testOnEachStack('waiting is bounded in time', { router: { holdSeconds: 1 } }, async (t, { router }) => {
  await router.admin.put(A, 'starting');
  const answer = await ask(router.publicSocket, PATH, { method: 'POST', body: 'x' });
  t.is(answer.status, 503);
  t.is(answer.headers['retry-after'], '1');
  t.is(JSON.parse(answer.body).error.code, 'session_starting');
});

testOnEachStack('a session that ends while requests wait tells them', {}, async (t, { router }) => {
  await router.admin.put(A, 'starting');
  const held = ask(router.publicSocket, PATH);
  t.is(await firstOf(router, [held]), undefined);
  await router.admin.remove(A);
  const answer = await held;
  t.is(answer.status, 410);
  t.is(JSON.parse(answer.body).error.code, 'session_gone');
});

const one = { nginx: { workers: 1 } };
for (const [name, limits] of [
  ['for one session', { holdMaxPerSession: 2 }],
  ['in all', { holdMax: 2 }],
] as const) {
  testOnEachStack(
    `waiting is bounded in number, ${name}`,
    { ...one, router: limits },
    async (t, { router, backend }) => {
      const app = await backend('A');
      // Twice, since what waited must not be counted for ever.
      for (let round = 0; round < 2; round += 1) {
        await router.admin.put(A, 'starting');
        const held = Array.from({ length: 4 }, () => ask(router.publicSocket, PATH));
        const refused = await Promise.race([Promise.any(held), roundTrips(router)]);
        t.is((refused as Answer).status, 503);
        t.is((refused as Answer).headers['retry-after'], '1');
        await router.admin.put(A, 'ready', app.address);
        const statuses = (await Promise.all(held)).map((answer) => answer.status);
        t.deepEqual(statuses.sort(), [200, 200, 503, 503]);
      }
    },
  );
}

testOnEachStack(
  'a client that goes away while it waits leaves its place',
  { ...one, router: { holdMaxPerSession: 1, holdSeconds: 1 } },
  async (t, { router, backend }) => {
    const app = await backend('A');
    await router.admin.put(A, 'starting');
    const outgoing = request({ socketPath: router.publicSocket, path: PATH });
    outgoing.on('error', () => {});
    outgoing.end();
    t.is(await firstOf(router, [once(outgoing, 'response')]), undefined);
    outgoing.destroy();
    await until('the place to be free', async () => {
      await router.admin.put(A, 'starting');
      const held = ask(router.publicSocket, PATH);
      if ((await firstOf(router, [held])) !== undefined) {
        return false;
      }
      await router.admin.put(A, 'ready', app.address);
      return (await held).status === 200;
    });
    t.pass();
  },
);

/** The first of some promises that settles before the router has answered a number of other calls. */
async function firstOf<T>(router: Router, promises: Promise<T>[]): Promise<T | undefined> {
  for (const promise of promises) {
    promise.catch(() => {});
  }
  return Promise.race([...promises, roundTrips(router)]);
}

async function roundTrips(router: Router): Promise<undefined> {
  for (let count = 0; count < 30; count += 1) {
    await router.admin.call('GET', '/v1/health');
  }
}

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect as connect2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import { writeCertificate } from '../conformance/certificate.ts';
import { startBackend } from '../support/backend.ts';
import { ask, open } from '../support/http.ts';
import { until } from '../support/poll.ts';
import type { Router } from '../support/router.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';
import { makeToken, putRoutes } from '../support/tokens.ts';
import { say } from '../support/web-socket.ts';

const A = idOf('a');
const B = idOf('b');
const first = makeToken();
const second = makeToken();
const other = makeToken();

const one = { nginx: { workers: 1 } };

function cookie({ token }: { token: string }): { cookie: string } {
  return { cookie: `spawner-token=${token}` };
}

function guard(router: Router, generation: number, address: string, { tokenDigest } = first): Promise<void> {
  return putRoutes(router, generation, {
    [A]: { state: 'ready', address, tokenDigest },
    [B]: { state: 'ready', address, tokenDigest: other.tokenDigest },
  });
}

async function webSocket(router: Router, id: string, token: { token: string }): Promise<WebSocket> {
  const socket = new WebSocket(`ws+unix://${router.publicSocket}:/p/${id}/`, { headers: cookie(token) });
  await once(socket, 'open');
  return socket;
}

testOnEachStack('who came by a revoked token is out, nobody else', one, async (t, { router, backend }) => {
  const app = await backend('A');
  const stream = await startBackend('stream', (_, response) => void response.write('data: 1\n\n'));
  t.teardown(() => stream.stop());
  await guard(router, 1, stream.address);
  const events = await open(router.publicSocket, `/p/${A}/`, { headers: cookie(first) });
  events.resume();
  const eventsEnd = new Promise((resolve) => events.once('error', resolve));
  // Its body never ends.
  const upload = request({
    ...{ socketPath: router.publicSocket, path: `/p/${A}/`, method: 'POST', headers: cookie(first) },
  });
  const uploadEnd = new Promise((resolve) =>
    upload.once('response', (r) => r.resume().once('error', resolve)),
  );
  upload.write('x');
  await guard(router, 2, app.address);
  const sockets = await Promise.all(Array.from({ length: 5 }, () => webSocket(router, A, first)));
  const neighbour = await webSocket(router, B, other);
  t.is((await router.admin.activity(A)).active, 7);

  const ends = sockets.map((socket) => once(socket, 'close'));
  await guard(router, 3, app.address, second);
  t.is((await ask(router.publicSocket, `/p/${A}/`, { headers: cookie(first) })).status, 403);
  const newcomer = await webSocket(router, A, second);
  await Promise.all([...ends, eventsEnd, uploadEnd]);

  t.is(await say(newcomer, 'hello'), 'A:hello');
  t.is(await say(neighbour, 'hello'), 'A:hello');
  t.is((await router.admin.activity(A)).active, 1);
  t.is(app.sockets.size, 2, 'the app sees them go, too');

  // Whoever came after the revocation stays, also when the route is written again.
  await guard(router, 4, app.address, second);
  const gone = once(newcomer, 'close');
  await router.admin.call('POST', '/v1/routes', { generation: 5, delete: [A] });
  await gone;
  t.is(await say(neighbour, 'hello'), 'A:hello');
  neighbour.close();
  t.notRegex(await router.errorLog(), /\[(alert|crit|emerg)\]/);
});

testOnEachStack('what ends by itself ends as ever', one, async (t, { router, backend }) => {
  const app = await backend('A');
  await guard(router, 1, app.address);
  const workers = await router.workerPids();
  for (const side of ['visitor', 'app']) {
    const socket = await webSocket(router, A, first);
    const closed = once(socket, 'close');
    if (side === 'app') for (const its of app.sockets) its.close(4000);
    else socket.close(4000);
    t.is((await closed)[0], 4000, side);
  }
  // As many as one connection takes, and some that are cut off.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  for (let count = 0; count < 50; count += 1) {
    const outgoing = request({
      ...{ socketPath: router.publicSocket, path: `/p/${A}/`, headers: cookie(first), agent },
    });
    outgoing.end();
    const [incoming] = await once(outgoing, 'response');
    t.is(outgoing.reusedSocket, count > 0);
    await once(incoming.resume(), 'end');
    (await webSocket(router, A, first)).terminate();
  }
  await until('the counts', async () => (await router.admin.activity(A)).active === 0);
  t.deepEqual(await router.workerPids(), workers);
  t.notRegex(await router.errorLog(), /\[(alert|crit|emerg)\]|exited on signal/);
});

testOnEachStack(
  'of an HTTP/2 connection only the streams of the session end',
  async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'spawner-token-'));
    t.teardown(() => rm(directory, { recursive: true }));
    const tls = { certificate: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
    await writeCertificate(tls.certificate, tls.key);
    return { nginx: { tls, workers: 1 } };
  },
  async (t, { router }) => {
    const app = await startBackend('stream', (_, response) => void response.write('data: 1\n\n'));
    t.teardown(() => app.stop());
    await guard(router, 1, app.address);
    const client = connect2('https://spawner.test', {
      createConnection: () =>
        connectTls({ path: router.publicSocket, rejectUnauthorized: false, ALPNProtocols: ['h2'] }),
    });
    t.teardown(() => client.destroy());
    const streamOf = async (id: string, { token }: { token: string }) => {
      const stream = client.request({
        ':path': `/p/${id}/`,
        'x-forwarded-proto': 'https',
        cookie: `__Secure-spawner-token=${token}`,
      });
      const [headers] = await once(stream, 'response');
      t.is(headers[':status'], 200);
      return stream.resume();
    };
    const revoked = await streamOf(A, first);
    const stays = await streamOf(B, other);
    const end = new Promise((resolve) => revoked.once('error', resolve));
    await guard(router, 2, app.address, second);
    await until('its end', async () => (await router.admin.activity(A)).active === 0);
    // nginx tells the visitor no sooner than it has to send something else, too.
    await streamOf(B, other);
    await end;
    t.false(client.closed || client.destroyed);
    t.false(stays.closed);
  },
);

const small = { ...one, router: { activityZoneSize: '128k' } };
testOnEachStack('what is kept of a revocation goes with its session', small, async (t, { router }) => {
  await router.admin.fill();
  // Together more than the zone could hold.
  for (let round = 0; round < 12; round += 1) {
    const ids = Array.from({ length: 100 }, (_, i) => `${round}x${i}`.padStart(26, '0'));
    const state = 'ready' as const;
    const route = { state, address: '127.0.0.1:1', tokenDigest: first.tokenDigest };
    await putRoutes(router, 3 * round + 1, Object.fromEntries(ids.map((id) => [id, route])));
    for (const part of ['delete', 'forget'] as const) {
      const generation = 3 * round + (part === 'delete' ? 2 : 3);
      const answer = await router.admin.call('POST', '/v1/routes', { generation, [part]: ids });
      t.is(answer.status, 200);
    }
    await router.admin.call('GET', '/v1/activity');
  }
  t.notRegex(await router.errorLog(), /no memory/);
});

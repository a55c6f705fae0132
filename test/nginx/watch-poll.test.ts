import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import type { ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { replaceInBundles } from '../support/bundle.ts';
import { until } from '../support/poll.ts';
import { reservePorts } from '../support/ports.ts';
import type { Router, RouterOptions } from '../support/router.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';
import { makeToken, putRoutes } from '../support/tokens.ts';
import { say } from '../support/web-socket.ts';

const A = idOf('a');
const B = idOf('b');
const first = makeToken();
const second = makeToken();

const one = { nginx: { workers: 1 } };

/** Milliseconds and counts of njs/watch.ts and njs/watch-poll.ts, so that hours go by in a moment. */
const QUICK = { LOOK_MS: 20, FEW_LOOKS: 1, BEAT_MS: 40, GLANCE_MS: 40 };

/** Has new workers, and only those, run other texts. */
async function edit(router: Router, texts: [RegExp, string][]): Promise<void> {
  const before = await router.workerPids();
  await replaceInBundles(router, texts);
  await until('the old worker to end', async () => {
    return !(await router.workerPids()).some((pid) => before.includes(pid));
  });
}

function clock(values: Record<string, number>): [RegExp, string][] {
  return Object.entries(values).map(([name, value]) => [
    new RegExp(`\\b${name} = [\\de.]+`),
    `${name} = ${value}`,
  ]);
}

async function webSocket(router: Router, id = A): Promise<WebSocket> {
  const headers = { cookie: `spawner-token=${first.token}` };
  const socket = new WebSocket(`ws+unix://${router.publicSocket}:/p/${id}/`, { headers });
  await once(socket, 'open');
  return socket;
}

function guard(router: Router, generation: number, address: string, { tokenDigest } = first): Promise<void> {
  return putRoutes(router, generation, {
    [A]: { state: 'ready', address, tokenDigest },
    [B]: { state: 'ready', address, tokenDigest: first.tokenDigest },
  });
}

/** What the only worker has open. */
async function openFiles(router: Router): Promise<number> {
  const [pid] = await router.workerPids();
  return (await readdir(`/proc/${pid}/fd`)).length;
}

async function overTcp(t: ExecutionContext): Promise<RouterOptions> {
  const ports = await reservePorts();
  t.teardown(ports.release);
  return { ...one, router: { adminListen: `127.0.0.1:${ports.first}`, adminToken: 'a-token-of-its-own' } };
}

const unix = async () => one;

for (const [listen, options] of [
  ['a unix socket', unix],
  ['TCP', overTcp],
] as const) {
  testOnEachStack(`polls of ${listen} watch what lasts, and end with it`, options, async (t, world) => {
    const { router } = world;
    const app = await world.backend('A');
    await edit(router, clock(QUICK));
    await guard(router, 1, app.address);
    const before = await openFiles(router);
    const sockets = [await webSocket(router), await webSocket(router), await webSocket(router)];
    const neighbour = await webSocket(router, B);
    const polled = async (count: number) => {
      // Each to the visitor, to the app, and the two ends of its poll. A call of the test's own may be open, too.
      await until(
        `${count} polls`,
        async () => Math.abs((await openFiles(router)) - before - 4 * count) <= 1,
      );
    };
    await polled(4);

    sockets.pop()?.terminate();
    await polled(3);
    const ends = sockets.map((socket) => once(socket, 'close'));
    await guard(router, 2, app.address, second);
    await Promise.all(ends);
    await polled(1);
    t.is(await say(neighbour, 'hello'), 'A:hello');
    neighbour.close();
    await polled(0);
    t.notRegex(await router.errorLog(), /for want of|\[(alert|crit|emerg)\]/);
  });
}

testOnEachStack('poll follows poll', one, async (t, { router, backend }) => {
  const app = await backend('A');
  await edit(router, clock({ ...QUICK, LOOK_MS: 2, POLL_MS: 4 }));
  await guard(router, 1, app.address);
  const workers = await router.workerPids();
  const before = await openFiles(router);
  const lasting = await webSocket(router);
  for (let count = 0; count < 200; count += 1) {
    const socket = await webSocket(router);
    if (count % 2 === 0) socket.terminate();
    else socket.close();
  }
  await until('the counts', async () => (await router.admin.activity(A)).active === 1);
  t.is(await say(lasting, 'hello'), 'A:hello');
  const end = once(lasting, 'close');
  await guard(router, 2, app.address, second);
  await end;
  await until('the last poll to end', async () => (await openFiles(router)) <= before + 1);
  t.deepEqual(await router.workerPids(), workers);
  t.notRegex(await router.errorLog(), /for want of|\[(alert|crit|emerg)\]|exited on signal/);
});

testOnEachStack('a poll ends though nobody waits for it any more', one, async (t, { router }) => {
  // No beat tells it before.
  await edit(router, clock({ ...QUICK, BEAT_MS: 1e9 }));
  await guard(router, 1, '127.0.0.1:1');
  await guard(router, 2, '127.0.0.1:1', second);
  const before = await openFiles(router);
  const path = `/v1/revoked/${A}?after=2`;
  for (let count = 0; count < 5; count += 1) {
    const asking = request({ socketPath: String(router.adminAddress), path, agent: false }).end();
    const [answer] = await once(asking, 'response');
    await once(answer, 'data');
    answer.once('error', () => {}).destroy();
  }
  t.true((await openFiles(router)) >= before + 4);
  await guard(router, 3, '127.0.0.1:1');
  await until('the polls to end', async () => (await openFiles(router)) <= before + 1);
});

testOnEachStack('polls go on after a reload', one, async (t, { router, backend }) => {
  const app = await backend('A');
  await edit(router, clock({ ...QUICK, POLL_MS: 100 }));
  await guard(router, 1, app.address);
  const socket = await webSocket(router);
  await router.reload();
  t.is(await say(socket, 'hello'), 'A:hello');
  const end = once(socket, 'close');
  await guard(router, 2, app.address, second);
  await end;
  t.notRegex(await router.errorLog(), /for want of|\[(alert|crit|emerg)\]/);
});

const FAILURES: [string, [RegExp, string], RegExp][] = [
  ['is refused', [/v\.spawner_admin_token/, '"no"'], /for want of the admin API: the admin API answers 401/],
  ['reaches nobody', [/v\.spawner_admin_url/, '"http://127.0.0.1:1"'], /for want of the admin API: /],
];

for (const [title, failure, line] of FAILURES) {
  testOnEachStack(
    `a poll that ${title} is told, and done without`,
    overTcp,
    async (t, { router, backend }) => {
      const app = await backend('A');
      await edit(router, [...clock(QUICK), failure]);
      await guard(router, 1, app.address);
      const socket = await webSocket(router);
      await until('a line', async () => line.test(await router.errorLog()));
      t.is(await say(socket, 'hello'), 'A:hello');
      const end = once(socket, 'close');
      await guard(router, 2, app.address, second);
      await end;
      t.notRegex(await router.errorLog(), new RegExp(`${A}|\\[(alert|crit|emerg)\\]`));
    },
  );
}

testOnEachStack('a poll that hangs is not relied upon', one, async (t, { router, backend }) => {
  const app = await backend('A');
  const silent = createServer((connection) => void connection.on('error', () => {})).listen(0, '127.0.0.1');
  t.teardown(() => void silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  await edit(router, [...clock(QUICK), [/v\.spawner_admin_url/, `"http://127.0.0.1:${port}"`]]);
  await guard(router, 1, app.address);
  const asked = once(silent, 'connection');
  const socket = await webSocket(router);
  await asked;
  const end = once(socket, 'close');
  await guard(router, 2, app.address, second);
  await end;
  t.notRegex(await router.errorLog(), /\[(alert|crit|emerg)\]/);
});

testOnEachStack('a poll asks for what the admin API asks for', overTcp, async (t, { router }) => {
  await guard(router, 1, '127.0.0.1:1');
  await guard(router, 2, '127.0.0.1:1', second);
  const asked = (method: string, path: string, headers = {}) =>
    router.admin.call(method, path, undefined, headers).then(({ status, body }) => [status, body.error.code]);
  const path = `/v1/revoked/${A}?after=2`;
  t.deepEqual(await asked('GET', path, { authorization: 'Bearer other' }), [401, 'unauthorized']);
  t.deepEqual(await asked('POST', path), [405, 'method_not_allowed']);
  for (const wrong of [
    '/v1/revoked/',
    `/v1/revoked/${A}`,
    `/v1/revoked/${A}?after=x`,
    '/v1/revoked/a?after=2',
  ]) {
    t.deepEqual(await asked('GET', wrong), [400, 'bad_request'], wrong);
  }
});

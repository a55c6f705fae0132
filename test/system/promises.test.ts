/** Promises 1 to 5 of the design, attacked at the scale of one machine. */
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { until } from '../support/poll.ts';
import { startWorld, type World } from '../support/world.ts';

// Honest answers of a session that ends or whose nginx restarts. 404 is none: every id here was given out by /init.
const HONEST = [200, 410, 502, 503];

/** Visits sessions until told to stop; every answer must name the session that was asked. */
function visitAll(world: World, ids: Set<string>, visitors: number) {
  let going = true;
  const seen: Record<string, number> = {};
  const wrong: string[] = [];
  async function visitor(number: number): Promise<void> {
    for (let round = number; going; round++) {
      const id = [...ids][round % Math.max(1, ids.size)];
      if (id === undefined) {
        await setImmediate();
        continue;
      }
      // A connection that nginx' death cuts is no answer at all.
      const answer = await world.visit(id, `visit/${round}`).catch(() => undefined);
      const status = answer?.status ?? 'cut';
      seen[status] = (seen[status] ?? 0) + 1;
      if (answer?.status === 200 && JSON.parse(answer.body).session !== id)
        wrong.push(`${id}: ${answer.body}`);
      if (answer && !HONEST.includes(answer.status)) wrong.push(`${id}: ${answer.status} ${answer.body}`);
    }
  }
  const visitorsAtWork = Array.from({ length: visitors }, (_, number) => visitor(number));
  return {
    seen,
    wrong,
    async stop() {
      going = false;
      await Promise.all(visitorsAtWork);
    },
  };
}

/** Sessions come and go: `most` at a time, `count` in all, a few of them starting or ending at any moment. */
async function churn(world: World, ids: Set<string>, count: number, most: number): Promise<void> {
  const living: string[] = [];
  let left = count;
  async function one(): Promise<void> {
    while (left > 0) {
      left -= 1;
      const { id } = await world.init({ wait: 'ready' });
      ids.add(id);
      living.push(id);
      if (living.length <= most) continue;
      const oldest = living.shift() as string;
      await world.daemon.api('DELETE', `/sessions/${oldest}`);
      ids.delete(oldest);
    }
  }
  await Promise.all(Array.from({ length: 4 }, one));
}

test('1, 4: fifty sessions churn under load, each answer is its own, no worker and no WebSocket is lost', async (t) => {
  const world = await startWorld(t, { ports: 80 });
  const steady = await world.init({ wait: 'ready' });
  const socket = await world.connect(steady.id);
  const closed = once(socket, 'close').then(() => 'closed');
  const workers = await world.router.workerPids();
  const ids = new Set<string>([steady.id]);
  const load = visitAll(world, ids, 3);
  t.teardown(load.stop);

  await churn(world, ids, 140, 50);
  await load.stop();
  t.log(load.seen);
  t.deepEqual(load.wrong, []);
  t.true((load.seen[200] ?? 0) > 100);
  t.deepEqual(await world.router.workerPids(), workers);
  socket.send('still here');
  const answer = await Promise.race([closed, once(socket, 'message').then(([message]) => String(message))]);
  t.is(answer, `${steady.id}:still here`);
});

test('2: a hundred concurrent /init, and each URL works from the moment of its answer', async (t) => {
  const world = await startWorld(t, { ports: 100, flags: ['--idle-timeout', '10m'] });
  const sessions = await Promise.all(
    Array.from({ length: 98 }, async () => {
      const { id } = await world.init();
      const first = await world.visit(id, 'first');
      t.is(first.status, 200, first.body);
      t.like(JSON.parse(first.body), { session: id, url: '/first' });
      return id;
    }),
  );
  t.is(new Set(sessions).size, 98);
  const { json } = await world.daemon.api('GET', '/sessions?limit=1000');
  t.is(json.sessions.length, 98);
});

test('2: while nginx is killed and started again under load nobody is told 404, and all is as before', async (t) => {
  const world = await startWorld(t);
  const ids = new Set<string>();
  for (let count = 0; count < 5; count++) ids.add((await world.init({ wait: 'ready' })).id);
  const load = visitAll(world, ids, 4);
  t.teardown(load.stop);
  for (let round = 0; round < 3; round++) {
    const [worker] = await world.router.workerPids();
    process.kill(worker as number, 'SIGKILL');
    await world.router.kill();
    await world.router.restart();
    await until('the router to serve again', async () => {
      const answers = await Promise.all([...ids].map((id) => world.visit(id).catch(() => undefined)));
      return answers.every((answer) => answer?.status === 200);
    });
  }
  await load.stop();
  t.log(load.seen);
  t.deepEqual(load.wrong, []);
});

test('3: a daemon killed at any moment leaves nothing that belongs to nobody, and nothing twice', async (t) => {
  const world = await startWorld(t, { flags: ['--idle-timeout', '10m'] });
  const started: string[] = [];
  for (let round = 0; round < 8; round++) {
    const key = `order-${round}`;
    const init = () => world.daemon.api('POST', '/init', {}, { 'idempotency-key': key });
    const doomed = [
      init(),
      ...(round > 0 ? [world.daemon.api('DELETE', `/sessions/${started[round - 1]}`)] : []),
    ];
    // Later in each round: before the request arrives, in the middle of the create, after it.
    await until('the moment to come', () => Math.random() < 1 / (1 + round * 4));
    await world.daemon.end('SIGKILL');
    await Promise.allSettled(doomed);
    await world.restartDaemon();
    await until(
      'the routers to be told',
      async () => (await world.daemon.api('GET', '/readyz')).status === 200,
    );
    const { status, json } = await init();
    t.is(status, 201);
    started.push(json.id);
    const page = await until('it to be served', async () => {
      const answer = await world.visit(json.id);
      return answer.status === 200 ? answer : undefined;
    });
    t.is(JSON.parse(page.body).session, json.id);
  }
  const { json } = await world.daemon.api('GET', '/sessions?limit=1000');
  const living = json.sessions.filter(
    ({ state }: { state: string }) => state === 'ready' || state === 'starting',
  );
  const livingIds: string[] = living.map(({ id }: { id: string }) => id);
  t.is(new Set(livingIds).size, livingIds.length);
  const running = await world.sessionsWithProcesses();
  t.deepEqual(running.sort(), livingIds.sort(), 'every process belongs to a session, every session has one');
  const { body } = await world.router.admin.call('GET', '/v1/routes');
  const routed = Object.entries<[string, number, string]>(body.routes).filter(
    ([, [state]]) => state !== 'gone',
  );
  t.deepEqual(routed.map(([id]) => id).sort(), livingIds.sort(), 'and every route points to one');
  const addresses = routed.map(([, [, , address]]) => address);
  t.is(new Set(addresses).size, addresses.length, 'no two to the same address');
});

test('3: an app that died while no daemon was there is noticed, and its route goes', async (t) => {
  const world = await startWorld(t);
  const { id } = await world.init({ wait: 'ready' });
  const other = await world.init({ wait: 'ready' });
  await world.daemon.end('SIGKILL');
  const { pid } = JSON.parse((await world.visit(id)).body);
  process.kill(pid, 'SIGKILL');
  await world.restartDaemon();
  await until('its route to go', async () => (await world.visit(id)).status === 410);
  t.like((await world.session(id)).json, { state: 'failed', failure: { code: 'app_lost' } });
  t.is((await world.visit(other.id)).status, 200);
});

test('4: no number of sessions makes nginx restart or reload', async (t) => {
  const world = await startWorld(t);
  const workers = await world.router.workerPids();
  await churn(world, new Set(), 20, 4);
  t.deepEqual(await world.router.workerPids(), workers);
  t.notRegex(await world.router.errorLog(), /reconfiguring|\[(alert|crit|emerg)\]/);
});

test('5: a full router: 507, the new session is rolled back, every other one works on', async (t) => {
  const world = await startWorld(t, { router: { router: { routesZoneSize: '64k' } } });
  const { id } = await world.init({ wait: 'ready' });
  // The same room that sessions would take, without their processes.
  for (let letters = 0, status = 200; status === 200; letters++) {
    const stranger = `stranger${letters}`.padEnd(26, 'x');
    ({ status } = await world.router.admin.put(stranger, 'ready', '127.0.0.1:9'));
  }
  const refused = await world.daemon.api('POST', '/init');
  t.is(refused.status, 507);
  t.is(refused.json.error.code, 'router_full');
  t.regex(refused.json.error.message, /--routes-zone-size/);
  t.deepEqual(await world.sessionsWithProcesses(), [id], 'nothing is left of the refused one');
  const { json } = await world.daemon.api('GET', '/sessions');
  t.deepEqual(
    json.sessions.map((session: { id: string }) => session.id),
    [id],
  );
  t.is((await world.visit(id)).status, 200);
  t.is(
    (await world.daemon.api('DELETE', `/sessions/${id}`)).status,
    204,
    'in a full table routes still change',
  );
  t.is((await world.visit(id)).status, 410);
  t.is((await world.daemon.api('POST', '/init')).status, 201, 'and there is room for one again');
});

test('5: no router at all: /init fails fast and leaves nothing', async (t) => {
  const world = await startWorld(t);
  await world.router.kill();
  await until('the daemon to notice', async () => (await world.daemon.api('GET', '/readyz')).status === 503);
  const refused = await world.daemon.api('POST', '/init');
  t.is(refused.status, 503);
  t.is(refused.json.error.code, 'no_router');
  t.is(refused.headers['retry-after'], '1');
  t.deepEqual(await world.sessionsWithProcesses(), []);
  t.is((await world.daemon.api('GET', '/healthz')).status, 200);
});

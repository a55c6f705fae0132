/** The daemon's side of the admin API against real routers. */
import test from 'ava';
import { newSessionId } from '../../../daemon/session.ts';
import { ask } from '../../support/http.ts';
import { until } from '../../support/poll.ts';
import { reservePorts } from '../../support/ports.ts';
import { adminOf, allLive, follow, gate, named, router, stored } from './fleet.ts';

function signal(pids: number[], name: NodeJS.Signals): void {
  for (const pid of pids) process.kill(pid, name);
}

for (const line of ['stable', 'current'] as const) {
  test(`${line}: a router that restarts is filled whole again, 5,000 routes and no 404 meanwhile`, async (t) => {
    const member = await router(t, { line });
    const routers = follow(t, named(adminOf(member)));
    await allLive(routers);
    const ids = Array.from({ length: 5_000 }, newSessionId);
    await Promise.all(
      ids.map((id, index) =>
        routers.set(id, { state: 'ready', address: `127.0.0.1:${1024 + index}`, tokenDigest: '' }),
      ),
    );
    await until('all to be there', async () => Object.keys(await stored(member)).length === 5_000);

    const last = ids.at(-1) as string;
    await routers.set(last, { state: 'starting', address: '', tokenDigest: '' });
    const page = { headers: { accept: 'text/html' } };
    await member.restart();
    const statuses = new Set<number>();
    await until('the last route to be there', async () => {
      const { status } = await ask(member.publicSocket, `/p/${last}/`, page);
      statuses.add(status);
      return status === 200;
    });
    t.false(statuses.has(404));
    await until('it to be live again', () => routers.status()[0]?.state === 'live');
    const routes = await stored(member);
    t.true(ids.slice(0, -1).every((id, index) => routes[id]?.[2] === `127.0.0.1:${1024 + index}`));
    t.is((await ask(member.publicSocket, `/p/${newSessionId()}/`)).status, 404, 'filled: unknown is unknown');
  });
}

test('every live router has a change when it is acknowledged; one that hangs delays it for a bounded time', async (t) => {
  const [first, second] = [await router(t), await router(t)];
  const routers = follow(t, named(adminOf(first), adminOf(second)));
  await allLive(routers);
  const id = newSessionId();
  t.deepEqual(await routers.set(id, { state: 'ready', address: '127.0.0.1:1111', tokenDigest: '' }), {
    live: 2,
    full: [],
  });
  for (const member of [first, second]) t.is((await stored(member))[id]?.[2], '127.0.0.1:1111');

  const nginx = [second.pid(), ...(await second.workerPids())];
  signal(nginx, 'SIGSTOP');
  t.teardown(() => signal(nginx, 'SIGCONT'));
  t.deepEqual(await routers.set(id, { state: 'ready', address: '127.0.0.1:2222', tokenDigest: '' }), {
    live: 1,
    full: [],
  });
  await until('it to be missed', () => routers.status()[1]?.state === 'hung');
  t.deepEqual(await routers.remove(id), { live: 1, full: [] });
  t.false((await routers.activity()).quiet, 'it may serve somebody unseen');

  signal(nginx, 'SIGCONT');
  await allLive(routers);
  t.is((await stored(second))[id]?.[0], 'gone', 'what was written late did not undo what came after');
});

test('a router that is gone is absent, serves nobody, and is no reason to wait', async (t) => {
  const [first, second] = [await router(t), await router(t)];
  const routers = follow(t, named(adminOf(first), adminOf(second)));
  await allLive(routers);
  await second.kill();
  await until('it to be missed', () => routers.status()[1]?.state === 'absent');
  t.deepEqual(await routers.set(newSessionId(), { state: 'starting', address: '', tokenDigest: '' }), {
    live: 1,
    full: [],
  });
  const { quiet, complete } = await routers.activity();
  t.true(quiet && complete);
  await second.restart();
  await allLive(routers);
  t.is(Object.keys(await stored(second)).length, 1);
});

test('routes that a killed daemon left half-done are taken away', async (t) => {
  const member = await router(t);
  const [lost, ended] = [newSessionId(), newSessionId()];
  await member.admin.put(lost, 'ready', '127.0.0.1:9');
  await member.admin.put(ended, 'ready', '127.0.0.1:9');
  await member.admin.remove(ended);
  const routers = follow(t, named(adminOf(member)));
  const kept = newSessionId();
  await routers.set(kept, { state: 'ready', address: '127.0.0.1:10', tokenDigest: '' });
  await allLive(routers);
  const routes = await stored(member);
  t.is(routes[lost]?.[0], 'gone');
  t.is(routes[ended], undefined);
  t.is(routes[kept]?.[2], '127.0.0.1:10');
});

test('a router on TCP is used with its token, and one without the right token is never taken for a live one', async (t) => {
  const ports = await reservePorts();
  t.teardown(ports.release);
  const adminListen = `127.0.0.1:${ports.first}`;
  const member = await router(t, { router: { adminListen, adminToken: 'the-token-of-this-router' } });
  const url = `http://${adminListen}`;
  const stranger = follow(t, named(url), 'not-the-token-of-this-router');
  const routers = follow(t, named(url), 'the-token-of-this-router');
  await allLive(routers);
  const id = newSessionId();
  t.deepEqual(await routers.set(id, { state: 'ready', address: '127.0.0.1:9', tokenDigest: '' }), {
    live: 1,
    full: [],
  });
  t.is((await stored(member))[id]?.[2], '127.0.0.1:9');
  await until('the stranger to be refused', () => stranger.status()[0]?.state === 'hung');
  t.deepEqual(await stranger.set(id, { state: 'ready', address: '127.0.0.1:10', tokenDigest: '' }), {
    live: 0,
    full: [],
  });
});

test('a change is settled only when every router that may serve holds it', async (t) => {
  const [first, second] = [await router(t), await router(t)];
  const way = await gate(t, second);
  const routers = follow(t, named(adminOf(first), way.address));
  const id = newSessionId();
  t.false(routers.isSettled(id), 'nobody was asked yet');
  await allLive(routers);
  await routers.set(id, { state: 'ready', address: '127.0.0.1:1111', tokenDigest: '' });
  t.true(routers.isSettled(id));

  way.fault = (call) => (call.startsWith('POST') ? 'fail' : undefined);
  t.deepEqual(await routers.remove(id), { live: 1, full: [] });
  t.true((await routers.activity()).quiet, 'its reads work');
  t.false(routers.isSettled(id), 'but it still has the old route');
  t.is((await stored(second))[id]?.[0], 'ready');
  way.fault = () => undefined;
  await until('it to be told', () => routers.isSettled(id));
  t.is((await stored(second))[id]?.[0], 'gone');
});

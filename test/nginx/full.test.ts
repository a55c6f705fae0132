import { ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import type { Router } from '../support/router.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

const HERE = '127.0.0.1:20000';
const LONGER = `[fdff${':ffff'.repeat(7)}]:65535`;
const DIGEST = 'd'.repeat(43);

testOnEachStack(
  'a full table takes nothing new and keeps what it has',
  { router: { routesZoneSize: '64k', backends: ['127.0.0.1', '[fd00::]/8'] } },
  async (t, world) => {
    const { router } = world;
    const write = (body: unknown) => router.admin.call('POST', '/v1/routes', body);
    const batch = Array.from({ length: 400 }, (_, index) => String(index).padStart(26, 'f'));
    const put = Object.fromEntries(batch.map((id) => [id, { state: 'starting', tokenDigest: DIGEST }]));
    const answer = await write({ generation: 2, put });
    t.is(answer.status, 507);
    t.is(answer.body.error.code, 'router_full');
    t.regex(answer.body.error.message, /enlarge/);

    const kept = Object.keys((await router.admin.call('GET', '/v1/routes')).body.routes).sort();
    t.true(kept.length > 50);
    t.deepEqual(answer.body.stale, []);
    t.deepEqual(
      [...kept, ...answer.body.full].sort(),
      batch.sort(),
      'every route is either in or named as not',
    );

    // What got in goes through its whole life, even to the longest address.
    for (const generation of [3, 4]) {
      const state = generation === 3 ? 'ready' : 'draining';
      const changes = Object.fromEntries(
        kept.map((id) => [id, { state, address: LONGER, tokenDigest: DIGEST }]),
      );
      t.is((await write({ generation, put: changes })).status, 200);
    }
    t.is(
      (
        await write({
          generation: 5,
          put: { [answer.body.full[0]]: { state: 'starting', tokenDigest: DIGEST } },
        })
      ).status,
      507,
    );
    t.is((await write({ generation: 6, delete: kept })).status, 200);

    // A delete of what is absent can't be remembered by itself any more, and still keeps a late write out.
    const stranger = idOf('s');
    t.is((await write({ generation: 8, delete: [stranger] })).status, 200);
    t.deepEqual((await write({ generation: 7, put: { [stranger]: { state: 'starting' } } })).body.stale, [
      stranger,
    ]);

    t.is((await write({ generation: 9, forget: kept })).status, 200);
    t.is(
      (await write({ generation: 10, put: { [stranger]: { state: 'ready', address: HERE } } })).status,
      200,
    );
    t.deepEqual((await router.admin.call('GET', '/v1/routes')).body.routes, {
      [stranger]: ['ready', 10, HERE],
    });
  },
);

testOnEachStack(
  'requests are served even if they can not be counted',
  { router: { activityZoneSize: '64k' } },
  async (t, world) => {
    const { router } = world;
    const app = await world.backend('app');
    const ids = Array.from({ length: 400 }, (_, index) => String(index).padStart(26, 'u'));
    const put = Object.fromEntries(ids.map((id) => [id, { state: 'ready', address: app.address }]));
    t.is((await router.admin.call('POST', '/v1/routes', { generation: 1, put })).status, 200);
    for (const id of ids) {
      t.is((await ask(router.publicSocket, `/p/${id}/`)).status, 200);
    }
    const activity = async () => (await router.admin.call('GET', '/v1/activity')).body;
    t.true((await activity()).uncounted > 0);
    await until('the line', async () => linesAboutFullness(await router.errorLog()) === 1);
    await until('the counts to be taken back', async () => {
      const counts: { active: number }[] = Object.values((await activity()).sessions);
      return counts.every(({ active }) => active === 0);
    });

    const full = await putOne(router, idOf('n'));
    t.is(full.status, 507, 'a new session could not be counted, so it is refused');
    t.is((await router.admin.put(ids[0] ?? '', 'draining', app.address)).body.full.length, 0);

    // Nobody has read the counts since, but those of sessions that are over make room.
    await router.admin.fill();
    await router.admin.call('POST', '/v1/routes', { generation: 10, delete: ids.slice(20) });
    await router.admin.call('POST', '/v1/routes', { generation: 10, forget: ids.slice(20) });
    t.is(
      (await router.admin.call('PUT', `/v1/routes/${idOf('n')}`, { generation: 11, state: 'starting' }))
        .status,
      200,
    );
  },
);

function putOne(router: Router, id: string) {
  return router.admin.call('PUT', `/v1/routes/${id}`, { generation: 9, state: 'starting', address: '' });
}

function linesAboutFullness(log: string): number {
  return log.split('\n').filter((line) => line.includes('the activity zone is full')).length;
}

/** Routers that are set to something else than the daemon, and what they say of it. */
import { createHash } from 'node:crypto';
import test from 'ava';
import { newSessionId } from '../../../daemon/session.ts';
import { until } from '../../support/poll.ts';
import { adminOf, allLive, create, follow, named, router, stored } from './fleet.ts';

const ELSEWHERE = ['10.0.0.0/8'];
const ready = (port: number, tokenDigest = '') =>
  ({ state: 'ready', address: `127.0.0.1:${port}`, tokenDigest }) as const;
const digestOf = (text: string) => createHash('sha256').update(text).digest('base64url');

test('a router of another mode is told nothing, until it is set right', async (t) => {
  const member = await router(t, { router: { mode: 'host', hostSuffix: '.apps.test' } });
  const routers = follow(t, named(adminOf(member)));
  const id = newSessionId();
  await until('it to be looked at', () => routers.status()[0]?.problem);
  t.is((await routers.set(id, ready(9))).live, 0);
  t.like(routers.status()[0], {
    state: 'hung',
    problem:
      'serves mode host, --public-url says path: give it and the daemon the same --public-url and --keep-prefix',
  });
  t.false(routers.synced());
  t.false(routers.isSettled(id), 'an earlier daemon may have filled it');
  t.deepEqual(await stored(member), {});

  await member.reload({ mode: 'path', hostSuffix: '' });
  await allLive(routers);
  t.is(routers.status()[0]?.problem, undefined);
  t.is((await stored(member))[id]?.[0], 'ready');
});

test('an address that a router may not lead to is told, and harms no other', async (t) => {
  const member = await router(t, { router: { backends: ['127.0.0.1:1000-1999'] } });
  const told: string[] = [];
  const routers = create(t, { refused: (ids) => told.push(...ids) });
  routers.follow(named(adminOf(member)));
  await allLive(routers);
  const [inside, outside] = [newSessionId(), newSessionId()];
  await Promise.all([routers.set(inside, ready(1000)), routers.set(outside, ready(2000))]);
  t.deepEqual(routers.refusing(inside), []);
  t.deepEqual(routers.refusing(outside), [adminOf(member)]);
  t.deepEqual(told, [outside]);
  t.deepEqual(Object.keys(await stored(member)), [inside]);
  t.true(routers.isSettled(inside));
  t.false(routers.isSettled(outside), 'it may hold an older wish');

  await routers.remove(outside);
  t.true(routers.isSettled(outside));
  t.deepEqual(routers.refusing(outside), []);
});

test('a router that comes and refuses what others serve is not used, and ends nothing', async (t) => {
  const [first, second] = [await router(t), await router(t, { router: { backends: ELSEWHERE } })];
  const told: string[] = [];
  const routers = create(t, { refused: (ids) => told.push(...ids) });
  routers.follow(named(adminOf(first)));
  await allLive(routers);
  const id = newSessionId();
  await routers.set(id, ready(9));
  routers.follow(named(adminOf(first), adminOf(second)));
  await until('the second to be looked at', () => routers.status()[1]?.problem);
  t.like(routers.status()[1], { state: 'hung' });
  t.regex(routers.status()[1]?.problem ?? '', /may not lead to the addresses of 1 sessions.*--backend/);
  t.deepEqual(routers.refusing(id), []);
  t.deepEqual(told, []);
  t.false((await second.admin.call('GET', '/v1/health')).body.filled);

  await second.reload({ backends: ['127.0.0.0/8'] });
  await allLive(routers);
  t.is((await stored(second))[id]?.[0], 'ready');
});

test('where no other router serves, those whose addresses it refuses are told, and all others are served', async (t) => {
  const member = await router(t, { router: { backends: ['127.0.0.1:1000-1999'] } });
  const told: string[] = [];
  const routers = create(t, { refused: (ids) => told.push(...ids) });
  const [inside, outside] = [newSessionId(), newSessionId()];
  await Promise.all([routers.set(inside, ready(1000)), routers.set(outside, ready(2000))]);
  routers.follow(named(adminOf(member)));
  await allLive(routers);
  t.deepEqual(told, [outside]);
  t.deepEqual(routers.refusing(outside), [adminOf(member)]);
  t.deepEqual(Object.keys(await stored(member)), [inside]);
});

for (const line of ['stable', 'current'] as const) {
  test(`${line}: routers learn a session's token, and another one`, async (t) => {
    const member = await router(t, { line });
    const routers = follow(t, named(adminOf(member)));
    await allLive(routers);
    const id = newSessionId();
    const digest = async () => (await stored(member))[id]?.[3];
    await routers.set(id, { state: 'starting', address: '', tokenDigest: digestOf('first') });
    t.is(await digest(), digestOf('first'));
    await routers.set(id, ready(9, digestOf('second')));
    t.is(await digest(), digestOf('second'));

    await member.restart();
    await until('it to be filled again', async () => (await digest()) === digestOf('second'));
  });
}

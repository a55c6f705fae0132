import test from 'ava';
import { newSessionId } from '../../../daemon/session.ts';
import { allLive, create, gate, named, router, stored } from './fleet.ts';

const ROUTES = 1_000;
const MOST = 100;

test('a whole table is told bit by bit, so that visitors are served in between, and each route once', async (t) => {
  const real = await router(t);
  const member = await gate(t, real);
  const routers = create(t);
  const ids = Array.from({ length: ROUTES }, newSessionId);
  for (const id of ids) void routers.set(id, { state: 'ready', address: '127.0.0.1:1111', tokenDigest: '' });
  routers.follow(named(member.address));
  await allLive(routers);
  t.deepEqual(Object.keys(await stored(real)).sort(), ids.sort());
  t.is(member.calls.filter((call) => call === 'POST /v1/routes').length, ROUTES / MOST);
});

/** A router that accepts calls and answers none, for longer than its visitors can last; the test moves the clock. */
import test from 'ava';
import pino from 'pino';
import { LOST_MS } from '../../../daemon/routers/lost.ts';
import { newSessionId } from '../../../daemon/session.ts';
import { until } from '../../support/poll.ts';
import { adminOf, allLive, create, gate, named, router, stored } from './fleet.ts';

test('a lost router stops nobody, and counts again from its first answer', async (t) => {
  const [first, behind] = [await router(t), await router(t)];
  const second = await gate(t, behind);
  let later = 0;
  const now = () => performance.now() + later;
  const logged: string[] = [];
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line).msg) });
  const tellings = () => logged.filter((msg) => msg.startsWith('router lost')).length;
  const routers = create(t, { now, log });
  let unreadySince: number | undefined;
  const member = { address: second.address, discovered: true };
  routers.follow([...named(adminOf(first)), member]);
  await allLive(routers);
  routers.follow([...named(adminOf(first)), { ...member, unreadySince: () => unreadySince }]);
  const state = () => routers.status()[1]?.state;

  const id = newSessionId();
  await routers.set(id, { state: 'ready', address: '127.0.0.1:1111', tokenDigest: '' });
  second.fault = () => new Promise(() => {});
  await until('it to be missed', () => state() === 'hung');
  await routers.remove(id);
  later += 2 * LOST_MS;
  t.false(routers.isSettled(id), 'it is Ready: visitors may come');
  unreadySince = now();
  t.false(routers.isSettled(id), 'those who came may be there');
  t.false((await routers.activity()).quiet);
  t.is(tellings(), 0);

  later += LOST_MS + 1;
  t.is(state(), 'lost');
  t.true(routers.isSettled(id));
  const { quiet, complete } = await routers.activity();
  t.true(quiet && complete);
  t.is((await routers.set(newSessionId(), { state: 'starting', address: '', tokenDigest: '' })).live, 1);
  await until('that to be told', () => tellings() > 0);

  const table = Promise.withResolvers<void>();
  second.fault = (call) => (call === 'GET /v1/routes' ? table.promise : undefined);
  await until('its answer', () => state() === 'syncing');
  t.false(routers.isSettled(id), 'it has the old route until it is filled');
  table.resolve();
  await allLive(routers);
  t.true(routers.isSettled(id));
  t.is((await stored(behind))[id]?.[0], 'gone');
  t.is(tellings(), 1);
});

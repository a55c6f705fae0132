/** Faults in an order that no real router can be brought to on purpose. */
import test from 'ava';
import pino from 'pino';
import { createDesiredTable } from '../../../daemon/routers/desired-table.ts';
import { createGenerations } from '../../../daemon/routers/generations.ts';
import type { RouterClient, Written } from '../../../daemon/routers/router-client.ts';
import { createRouterLink } from '../../../daemon/routers/router-link.ts';

const zone = { bytes: 1, freeBytes: 1 };

test('a write that fails while the router is being filled is not forgotten', async (t) => {
  let bootId = 'first';
  let table = Promise.resolve();
  const writes: Promise<Written>[] = [];
  const written: Record<string, string> = {};
  const client: RouterClient = {
    address: 'unix:/nowhere',
    health: async () => ({
      bootId,
      filled: bootId === 'first',
      generation: 0,
      zones: { routes: zone, activity: zone },
    }),
    table: () => table.then(() => ({ bootId, routes: {} })),
    write(batch) {
      const answer = writes.shift();
      if (answer) return answer;
      for (const [id, { state }] of Object.entries(batch.put)) written[id] = state;
      for (const id of batch.delete) written[id] = 'gone';
      return Promise.resolve({ bootId, stale: [], full: [] });
    },
    filled: async () => {},
    activity: () => Promise.reject(new Error('not asked here')),
    close: async () => {},
  };
  const desired = createDesiredTable(() => 0);
  const link = createRouterLink({
    client,
    desired,
    generations: createGenerations(() => 1),
    log: pino({ level: 'silent' }),
    makeRoom: () => false,
    filled() {},
  });
  const wish = (state: 'ready' | 'gone') => link.apply('a', desired.set('a', { state, address: '' }).version);
  await link.check();
  t.is(link.state(), 'live');

  // A write is under way to the old table when the new one is found empty and its fill begins …
  const old = Promise.withResolvers<Written>();
  writes.push(old.promise);
  const first = wish('ready');
  const reading = Promise.withResolvers<void>();
  table = reading.promise;
  bootId = 'second';
  const filling = link.check();
  await new Promise(setImmediate);
  t.is(link.state(), 'syncing');
  // … fails, and a change comes before the fill goes on.
  old.reject(new Error('the router restarted during a write'));
  t.is(await first, 'down');
  t.is(await wish('gone'), 'down');
  reading.resolve();
  await filling;
  t.not(link.state(), 'live', 'it was told of nothing meanwhile');

  await link.check();
  t.is(link.state(), 'live');
  t.true(link.follows('a'));
  t.not(written.a, 'ready');
});

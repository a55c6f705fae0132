/** Faults in an order that no real router can be brought to on purpose. */
import test from 'ava';
import pino from 'pino';
import { createDesiredTable } from '../../../daemon/routers/desired-table.ts';
import { createGenerations } from '../../../daemon/routers/generations.ts';
import type { RouterClient, Written } from '../../../daemon/routers/router-client.ts';
import { createRouterLink } from '../../../daemon/routers/router-link.ts';

const zone = { bytes: 1, freeBytes: 1 };

/** A link to a router of no substance; what a test needs else of it, it gives. */
function linkTo(router: Partial<RouterClient>) {
  const desired = createDesiredTable(() => 0);
  const link = createRouterLink({
    client: {
      address: 'unix:/nowhere',
      health: async () => ({
        bootId: 'first',
        filled: true,
        generation: 0,
        mode: 'path' as const,
        zones: { routes: zone, activity: zone },
      }),
      table: async () => ({ bootId: 'first', routes: {} }),
      write: async () => ({ bootId: 'first', stale: [], full: [], refused: [] }),
      filled: async () => {},
      activity: () => Promise.reject(new Error('not asked here')),
      close: async () => {},
      ...router,
    },
    desired,
    generations: createGenerations(() => 1),
    log: pino({ level: 'silent' }),
    now: () => 0,
    mode: 'path',
    makeRoom: () => false,
    othersServe: () => false,
    refused() {},
    filled() {},
  });
  const wish = (id: string, state: 'ready' | 'gone') =>
    link.apply(id, desired.set(id, { state, address: '', tokenDigest: '' }).version);
  return { link, desired, wish };
}

test('a write that fails while the router is being filled is not forgotten', async (t) => {
  let bootId = 'first';
  let table = Promise.resolve();
  const writes: Promise<Written>[] = [];
  const written: Record<string, string> = {};
  const { link, wish } = linkTo({
    health: async () => ({
      bootId,
      filled: bootId === 'first',
      generation: 0,
      mode: 'path' as const,
      zones: { routes: zone, activity: zone },
    }),
    table: () => table.then(() => ({ bootId, routes: {} })),
    write(batch) {
      const answer = writes.shift();
      if (answer) return answer;
      for (const [id, { state }] of Object.entries(batch.put)) written[id] = state;
      for (const id of batch.delete) written[id] = 'gone';
      return Promise.resolve({ bootId, stale: [], full: [], refused: [] });
    },
  });
  await link.check();
  t.is(link.state(), 'live');

  // A write is under way to the old table when the new one is found empty and its fill begins …
  const old = Promise.withResolvers<Written>();
  writes.push(old.promise);
  const first = wish('a', 'ready');
  const reading = Promise.withResolvers<void>();
  table = reading.promise;
  bootId = 'second';
  const filling = link.check();
  await new Promise(setImmediate);
  t.is(link.state(), 'syncing');
  // … fails, and a change comes before the fill goes on.
  old.reject(new Error('the router restarted during a write'));
  t.is(await first, 'down');
  t.is(await wish('a', 'gone'), 'down');
  reading.resolve();
  await filling;
  t.not(link.state(), 'live', 'it was told of nothing meanwhile');

  await link.check();
  t.is(link.state(), 'live');
  t.true(link.follows('a'));
  t.not(written.a, 'ready');
});

test('whoever waits for a router is told so when it is dropped, whatever it does', async (t) => {
  const { link, wish } = linkTo({ write: () => new Promise(() => {}) });
  await link.check();
  const [sent, queued] = [wish('a', 'ready'), wish('b', 'ready')];
  await link.close();
  t.deepEqual(await Promise.all([sent, queued, wish('c', 'ready')]), ['down', 'down', 'down']);
});

test('a router that is dropped while it is being filled is told nothing more', async (t) => {
  for (const step of ['health', 'table', 'write', 'filled'] as const) {
    const reached = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const calls: string[] = [];
    const at =
      <T>(name: string, value: T) =>
      async () => {
        calls.push(name);
        if (name !== step) return value;
        reached.resolve();
        await answer.promise;
        return value;
      };
    const zones = { routes: zone, activity: zone };
    const { link, desired } = linkTo({
      health: at('health', { bootId: 'first', filled: false, generation: 0, mode: 'path', zones }),
      table: at('table', { bootId: 'first', routes: {} }),
      write: at('write', { bootId: 'first', stale: [], full: [], refused: [] }),
      filled: at('filled', undefined),
    });
    desired.set('a', { state: 'ready', address: '', tokenDigest: '' });
    const checking = link.check();
    await reached.promise;
    await link.close();
    answer.resolve();
    await checking;
    t.is(calls.at(-1), step);
    t.not(link.state(), 'live');
  }
});

test('a change that finds no room is not followed until it does', async (t) => {
  let full: string[] = [];
  const { link, wish } = linkTo({
    write: async () => ({ bootId: 'first', stale: [], full, refused: [] }),
  });
  await link.check();
  t.is(await wish('a', 'ready'), 'ok');
  full = ['a'];
  t.is(await wish('a', 'ready'), 'full');
  t.false(link.follows('a'), 'it still holds the wish before');
  full = [];
  await link.check();
  t.true(link.follows('a'));
});

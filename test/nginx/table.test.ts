import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { insertBefore } from '../support/bundle.ts';
import { ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

const A = idOf('a');
const B = idOf('b');
const C = idOf('c');
const HERE = '127.0.0.1:20000';
const ready = { state: 'ready', address: HERE };
const draining = { state: 'draining', address: HERE };

testOnEachStack('the highest generation wins, in whatever order writes arrive', {}, async (t, { router }) => {
  const write = (body: unknown) => router.admin.call('POST', '/v1/routes', body);
  const read = async (id: string) => (await router.admin.call('GET', '/v1/routes')).body.routes[id];

  t.like((await write({ generation: 10, put: { [A]: ready } })).body, { stale: [], full: [] });
  t.deepEqual((await write({ generation: 9, put: { [A]: draining, [B]: ready } })).body.stale, [A]);
  t.deepEqual(await read(A), ['ready', 10, HERE]);
  t.deepEqual(await read(B), ['ready', 9, HERE], 'the rest of a batch is applied');
  t.deepEqual((await write({ generation: 10, put: { [A]: ready } })).body.stale, [], 'the same write again');

  t.deepEqual((await write({ generation: 9, delete: [A] })).body.stale, [A]);
  t.deepEqual((await write({ generation: 11, delete: [A, C] })).body.stale, []);
  t.deepEqual((await write({ generation: 10, put: { [A]: ready, [C]: ready } })).body.stale, [A, C]);
  t.deepEqual(await read(A), ['gone', 11, '']);
  t.deepEqual(await read(C), ['gone', 11, ''], 'a delete is remembered even of what never was');
  t.is((await router.admin.call('GET', '/v1/health')).body.generation, 11);
});

testOnEachStack('a forgotten tombstone still keeps late writes out', {}, async (t, { router }) => {
  const write = (body: unknown) => router.admin.call('POST', '/v1/routes', body);
  await write({ generation: 5, put: { [A]: ready, [B]: ready } });
  await write({ generation: 6, delete: [A] });
  t.deepEqual((await write({ generation: 5, forget: [A] })).body.stale, [A], 'it is newer');
  t.deepEqual((await write({ generation: 7, forget: [A, B, C] })).body.stale, [B], 'B is no tombstone');

  const { body } = await router.admin.call('GET', '/v1/routes');
  t.deepEqual(Object.keys(body.routes), [B]);
  t.deepEqual((await write({ generation: 6, put: { [A]: ready } })).body.stale, [A]);
  t.deepEqual(
    (await write({ generation: 6, put: { [B]: draining } })).body.stale,
    [],
    'what is there is not affected',
  );
  t.deepEqual((await write({ generation: 7, put: { [A]: ready } })).body.stale, []);
});

testOnEachStack('writers that race leave the highest generation behind', {}, async (t, { router }) => {
  const ids = Array.from({ length: 400 }, (_, index) => String(index).padStart(26, 'r'));
  for (let round = 0; round < 10; round += 1) {
    const writes = Array.from({ length: 6 }, (_, index) => {
      const generation = 6 * round + 6 - index;
      const put = Object.fromEntries(
        ids.map((id) => [id, { state: 'ready', address: `127.0.0.1:${generation}` }]),
      );
      return router.admin.call('POST', '/v1/routes', { generation, put });
    });
    const newest = 6 * round + 6;
    t.true((await Promise.all(writes)).every((answer) => answer.status === 200));
    const { body } = await router.admin.call('GET', '/v1/routes');
    for (const id of ids) {
      t.deepEqual(body.routes[id], ['ready', newest, `127.0.0.1:${newest}`]);
    }
  }
});

testOnEachStack(
  'a worker that is killed while it writes does not lock the others out',
  {},
  async (t, { router }) => {
    const note = join(router.directory, 'writing');
    const dawdle = `fs.writeFileSync('${note}', String(process.pid)); const end = Date.now() + 300; while (Date.now() < end) {}`;
    await insertBefore(router, 'return work();', dawdle);
    const interrupted = router.admin.put(A, 'ready', HERE);
    const writer = await until('a write to begin', async () =>
      Number(await readFile(note, 'utf8').catch(() => '')),
    );
    process.kill(writer, 'SIGKILL');
    await t.throwsAsync(interrupted);
    t.is((await router.admin.put(B, 'ready', HERE)).status, 200);
  },
);

testOnEachStack('the whole table is read, however long', {}, async (t, { router }) => {
  const ids = Array.from({ length: 2500 }, (_, index) => String(index).padStart(26, 'x'));
  for (let start = 0; start < ids.length; start += 500) {
    const put = Object.fromEntries(ids.slice(start, start + 500).map((id) => [id, ready]));
    t.is((await router.admin.call('POST', '/v1/routes', { generation: 3, put })).status, 200);
  }
  const { body } = await router.admin.call('GET', '/v1/routes');
  t.deepEqual(Object.keys(body.routes).sort(), ids.sort());
});

testOnEachStack(
  'a router knows whether its table is filled, and which table it is',
  {},
  async (t, { router }) => {
    const health = async () => (await router.admin.call('GET', '/v1/health')).body;
    const status = async () => {
      const answer = await ask(router.publicSocket, `/p/${A}/`);
      return [answer.status, answer.headers['retry-after']];
    };
    const first = await health();
    t.deepEqual(await status(), [503, '1']);
    await router.admin.fill();
    t.deepEqual(await status(), [404, undefined]);

    await router.reload();
    t.like(await health(), { bootId: first.bootId, filled: true });
    await router.restart();
    const second = await health();
    t.not(second.bootId, first.bootId);
    t.false(second.filled);
    t.deepEqual(await status(), [503, '1']);

    const late = await router.admin.call('POST', '/v1/filled', { bootId: first.bootId });
    t.is(late.status, 409);
    t.deepEqual(await status(), [503, '1']);
  },
);

testOnEachStack('a changed zone size empties the table, and the boot id tells', {}, async (t, { router }) => {
  await router.admin.put(A, 'ready', HERE);
  const before = (await router.admin.call('GET', '/v1/health')).body.bootId;
  await router.reload({ routesZoneSize: '4m' });
  // Until the old workers are gone, one of them may still answer, from the old zone.
  await until(
    'the new table',
    async () => (await router.admin.call('GET', '/v1/health')).body.bootId !== before,
  );
  await until('the old table to be gone', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => router.admin.call('GET', '/v1/routes')),
    );
    return answers.every(({ body }) => !body.filled && Object.keys(body.routes).length === 0);
  });
  t.pass();
});

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closedAddress } from '../support/backend.ts';
import { ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

const A = idOf('a');
const B = idOf('b');
const C = idOf('c');
const D = idOf('d');

const narrow = { router: { backends: ['127.0.0.0/8', '[fd00::]/8:8080'] } };

testOnEachStack(
  'a route to what is no allowed backend is not stored',
  narrow,
  async (t, { router, backend }) => {
    const app = await backend('A');
    const { status, body } = await router.admin.call('POST', '/v1/routes', {
      generation: 1,
      put: {
        [A]: { state: 'ready', address: app.address },
        [B]: { state: 'ready', address: '10.0.0.7:8080' },
        [C]: { state: 'draining', address: '[fd00::7]:8081' },
        [D]: { state: 'ready', address: '169.254.169.254:80' },
      },
      delete: [idOf('e')],
    });
    t.deepEqual([status, body.stale, body.full, body.refused], [200, [], [], [B, C, D]]);
    const { routes } = (await router.admin.call('GET', '/v1/routes')).body;
    t.deepEqual(Object.keys(routes).sort(), [A, idOf('e')], 'the rest of the batch counts');
    t.is((await ask(router.publicSocket, `/p/${A}/`)).status, 200);
  },
);

testOnEachStack(
  'a route that stood before a refused one still stands',
  narrow,
  async (t, { router, backend }) => {
    const app = await backend('A');
    const path = `/v1/routes/${A}`;
    const route = { state: 'ready', generation: 1, address: app.address };
    t.is((await router.admin.call('PUT', path, route)).status, 200);
    const other = await router.admin.call('PUT', path, { ...route, generation: 2, address: '10.0.0.7:80' });
    t.deepEqual([other.status, other.body.error.code], [422, 'backend_refused']);
    t.deepEqual((await router.admin.call('GET', path)).body, route);
  },
);

testOnEachStack('a setting that nobody can read allows nothing', {}, async (t, { router }) => {
  const address = await closedAddress();
  t.deepEqual((await router.admin.put(A, 'ready', address)).body.refused, []);
  const file = join(router.directory, 'spawner-http.conf');
  await writeFile(file, (await readFile(file, 'utf8')).replace('127.0.0.0/8', '127.0.0.0/99'));
  process.kill(router.pid(), 'SIGHUP');
  // The old workers may answer once more.
  await until('the new setting', async () => {
    return (await router.admin.put(A, 'ready', address)).body.refused.includes(A);
  });
  t.deepEqual((await router.admin.put(B, 'starting')).body.refused, []);
  t.is((await router.admin.remove(A)).body.stale.length, 0, 'routes can still be taken away');
  const told = /spawner: no route is taken: \$spawner_allowed_backends: "127\.0\.0\.0\/99"/;
  await until('the log to tell of it', async () => told.test(await router.errorLog()));
  t.pass();
});

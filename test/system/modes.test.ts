/** Daemon and router set alike, in each mode, and set apart. */
import test from 'ava';
import { ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { startWorld } from '../support/world.ts';

test('with --keep-prefix, an app is asked for the path that browsers see', async (t) => {
  const world = await startWorld(t, {
    flags: ['--public-url', 'https://spawner.test/p/{id}/', '--keep-prefix'],
    router: { line: 'stable', router: { mode: 'path-kept' } },
  });
  const { id, url } = await world.init({ wait: 'ready' });
  t.is(url, `https://spawner.test/p/${id}/`);
  t.is(JSON.parse((await world.visit(id, 'data?x=1')).body).url, `/p/${id}/data?x=1`);
});

test('with {id} in --public-url, each session has a host of its own', async (t) => {
  const world = await startWorld(t, {
    flags: ['--public-url', 'http://{id}.apps.test:8000'],
    router: { line: 'current', router: { mode: 'host', hostSuffix: '.apps.test' } },
  });
  const { id, url } = await world.init({ wait: 'ready' });
  t.is(url, `http://${id}.apps.test:8000/`);
  const headers = { host: `${id}.apps.test:8000` };
  const visit = (path: string) => ask(world.router.publicSocket, path, { headers });
  t.like(JSON.parse((await visit('/data?x=1')).body), { session: id, url: '/data?x=1' });
  t.like(JSON.parse((await visit('/env')).body), { SPAWNER_BASE_PATH: '/', SPAWNER_PUBLIC_URL: url });
});

test('a router that is set to another mode is not used, and /readyz and the log say why', async (t) => {
  const world = await startWorld(t);
  await world.router.reload({ mode: 'host', hostSuffix: '.apps.test' });
  const said = await until('the daemon not to be ready', async () => {
    const { status, json } = await world.daemon.api('GET', '/readyz');
    return status === 503 && json.error.message;
  });
  t.is(
    said,
    `No router holds all routes yet. Router unix:${world.router.adminAddress} serves mode host, --public-url says path: ` +
      'give it and the daemon the same --public-url and --keep-prefix.',
  );
  const lines = world.daemon.log().split('\n');
  t.is(lines.filter((text) => text.includes('serves mode host')).length, 1);
  const { json } = await world.daemon.api('POST', '/init');
  t.is(json.error.code, 'no_router');

  await world.router.reload({ mode: 'path', hostSuffix: '' });
  await until('it to be used again', async () => (await world.daemon.api('GET', '/readyz')).status === 200);
  t.is((await world.visit((await world.init({ wait: 'ready' })).id)).status, 200);
});

test('a session whose address the router may not lead to fails, and says which setting to change', async (t) => {
  const world = await startWorld(t, { router: { router: { backends: ['10.0.0.0/8'] } } });
  const { status, json } = await world.daemon.api('POST', '/init', { wait: 'ready' });
  t.is(status, 502);
  t.is(json.error.code, 'backend_refused');
  t.regex(
    json.error.message,
    /^By its settings, the router unix:.* may not lead to 127\.0\.0\.1:\d+: allow it \(--backend/,
  );
  const { session } = json.error;
  t.is((await world.visit(session)).status, 410);
  await until('its process to be gone', async () => (await world.processes(session)).length === 0);
});

test('a session that works ends when its router is told to lead elsewhere and has to be told anew', async (t) => {
  const world = await startWorld(t);
  const { id } = await world.init({ wait: 'ready' });
  await world.router.reload({ backends: ['10.0.0.0/8'] });
  t.is((await world.visit(id)).status, 200, 'what it knew before still works');
  await world.router.restart();
  await until('the session to fail', async () => {
    return (await world.session(id)).json.failure?.code === 'backend_refused';
  });
});

/** The main job: POST /init, talk to your own session, leave, it is gone. */
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import test from 'ava';
import { scanProcesses } from '../../daemon/runtime/process/proc.ts';
import { ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { sendRaw } from '../support/raw-http.ts';
import { STACKS } from '../support/router.ts';
import { startWorld } from '../support/world.ts';

for (const stack of STACKS) {
  test(`${stack.line} ${stack.engine ?? 'njs'}: a session is created, serves HTTP and WebSocket, is left, and is gone with all its processes`, async (t) => {
    const world = await startWorld(t, { flags: ['--idle-timeout', '1s'], router: stack });
    const session = await world.init();
    t.regex(session.id, /^[a-z0-9]{26}$/);
    t.is(session.url, `http://spawner.test/p/${session.id}/`);
    t.is(session.state, 'starting');

    const answer = JSON.parse((await world.visit(session.id, 'some%2Fpath?q=1')).body);
    t.like(answer, { session: session.id, method: 'GET', url: '/some%2Fpath?q=1' });
    const socket = await world.connect(session.id);
    socket.send('hello');
    const [message] = await once(socket, 'message');
    t.is(String(message), `${session.id}:hello`);
    t.like((await world.session(session.id)).json, { state: 'ready' });

    socket.close();
    await until(
      'the session to be reaped',
      async () => (await world.session(session.id)).json.state === 'gone',
    );
    t.like((await world.session(session.id)).json, { state: 'gone', endReason: 'idle' });
    t.is((await world.visit(session.id)).status, 410);
    t.deepEqual(await world.processes(session.id), []);
  });
}

test('the app is told where it lives, and nothing of what is not its own', async (t) => {
  const world = await startWorld(t, {
    flags: ['--api-token', 'a-secret-of-the-operator'],
    env: { SPAWNER_ROUTER_TOKEN: 'another-secret-of-theirs' },
  });
  const headers = { authorization: 'Bearer a-secret-of-the-operator' };
  const answer = await world.daemon.api(
    'POST',
    '/init',
    { env: { GREETING: 'héllo "there"' }, wait: 'ready' },
    headers,
  );
  const { id } = answer.json;
  const env = JSON.parse((await world.visit(id, 'env')).body);
  t.like(env, {
    HOST: '127.0.0.1',
    SPAWNER_SESSION_ID: id,
    SPAWNER_BASE_PATH: `/p/${id}/`,
    SPAWNER_PUBLIC_URL: `http://spawner.test/p/${id}/`,
    GREETING: 'héllo "there"',
  });
  t.regex(env.PORT, /^\d+$/);
  t.false(Object.keys(env).some((name) => name.includes('TOKEN') || name.startsWith('npm_')));
});

test('wait: "ready" answers when the session is ready', async (t) => {
  const world = await startWorld(t);
  const session = await world.init({
    wait: 'ready',
    env: { START_DELAY_MS: '300' },
    labels: { user: 'ada' },
  });
  t.like(session, { state: 'ready', labels: { user: 'ada' } });
});

test('an app that listens on ::1 only is reached there', async (t) => {
  const world = await startWorld(t);
  const { id } = await world.init({ wait: 'ready', env: { LISTEN_ON: '::1' } });
  t.is(JSON.parse((await world.visit(id)).body).session, id);
});

test('an app that exits makes its session failed, at once, with what it said', async (t) => {
  const world = await startWorld(t);
  const answer = await world.daemon.api('POST', '/init', { wait: 'ready', env: { EXIT_CODE: '3' } });
  t.is(answer.status, 502);
  t.like(answer.json.error, { code: 'app_exited', exitCode: 3, output: ['cannot find my database'] });
  const { session: id } = answer.json.error;
  t.like((await world.session(id)).json, { state: 'failed', failure: { code: 'app_exited', exitCode: 3 } });
  t.is((await world.visit(id)).status, 410, 'its route is away');
});

test('a command that does not exist says so', async (t) => {
  const world = await startWorld(t, { command: 'no-such-program --port $PORT' });
  const { json } = await world.daemon.api('POST', '/init', { wait: 'ready' });
  t.like(json.error, { code: 'app_exited', exitCode: 127 });
  t.regex(json.error.output.join('\n'), /no-such-program/);
});

test('an app that never listens misses its deadline, and its processes go', async (t) => {
  const world = await startWorld(t, {
    flags: ['--start-timeout', '500ms'],
    command: 'sleep 600 & sleep 601',
  });
  const { json } = await world.daemon.api('POST', '/init', { wait: 'ready' });
  t.is(json.error.code, 'app_start_timeout');
  t.regex(json.error.message, /--start-timeout/);
  await until(
    'its processes to be gone',
    async () => (await world.processes(json.error.session)).length === 0,
  );
});

test('an app that dies later takes its route with it', async (t) => {
  const world = await startWorld(t);
  const { id } = await world.init({ wait: 'ready' });
  const { pid } = JSON.parse((await world.visit(id)).body);
  process.kill(pid, 'SIGKILL');
  await until('the session to have failed', async () => (await world.session(id)).json.state === 'failed');
  t.like((await world.session(id)).json.failure, { code: 'app_exited' });
  t.is((await world.visit(id)).status, 410);
});

test('DELETE ends a session now, also a stubborn one with company, and twice is fine', async (t) => {
  const world = await startWorld(t, { flags: ['--stop-grace', '100ms'] });
  const { id } = await world.init({ wait: 'ready', env: { STUBBORN: '1' } });
  const socket = await world.connect(id);
  const closed = once(socket, 'close');
  t.is((await world.daemon.api('DELETE', `/sessions/${id}`)).status, 204);
  await closed;
  t.deepEqual(await world.processes(id), []);
  t.like((await world.session(id)).json, { state: 'gone', endReason: 'deleted' });
  t.is((await world.daemon.api('DELETE', `/sessions/${id}`)).status, 204);
  t.is((await world.visit(id)).status, 410);
});

test('processes that leave the group of their session end with it', async (t) => {
  const world = await startWorld(t, {
    command: 'setsid sleep 600 & setsid sleep 601 & exec "$NODE" "$APP"'
      .replace('$NODE', process.execPath)
      .replace('$APP', `${import.meta.dirname}/../support/session-app.js`),
  });
  const { id } = await world.init({ wait: 'ready' });
  t.is((await world.processes(id)).length, 3);
  await world.daemon.api('DELETE', `/sessions/${id}`);
  t.deepEqual(await world.processes(id), []);
});

test('requests and WebSockets that come while a session starts are held, a browser is shown a page', async (t) => {
  const world = await startWorld(t);
  const { id } = await world.init({ env: { START_DELAY_MS: '700' } });
  const page = await world.visit(id, '', { headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' } });
  t.regex(page.headers['content-type'] ?? '', /text\/html/);
  const [held, posted, socket] = await Promise.all([
    world.visit(id, 'data'),
    world.visit(id, 'upload', { method: 'POST', body: 'x'.repeat(100_000) }),
    world.connect(id),
  ]);
  t.like(JSON.parse(held.body), { session: id, url: '/data' });
  t.like(JSON.parse(posted.body), { session: id, method: 'POST', bytes: 100_000 });
  socket.send('hi');
  t.is(String((await once(socket, 'message'))[0]), `${id}:hi`);
  t.is((await ask(world.router.publicSocket, `/p/-/wait/${id}`)).body, '{"state":"ready"}');
});

test('Ctrl-C ends every session and leaves no file; SIGTERM leaves the sessions running', async (t) => {
  const world = await startWorld(t);
  const { id } = await world.init({ wait: 'ready' });
  await world.daemon.end('SIGTERM');
  t.is(JSON.parse((await world.visit(id)).body).session, id, 'the data plane goes on');
  await world.restartDaemon();
  t.like((await world.session(id)).json, { state: 'ready' });
  await world.daemon.end('SIGINT');
  t.deepEqual(await world.processes(id), []);
  t.is((await world.visit(id)).status, 410);
});

test('Ctrl-C also ends what a failed session left, and what hides from its environment', async (t) => {
  const command = 'env -i sleep 600.25 & trap "" TERM; sleep 601 & wait; sleep 602';
  const world = await startWorld(t, { flags: ['--start-timeout', '300ms', '--stop-grace', '2s'], command });
  const { json } = await world.daemon.api('POST', '/init', { wait: 'ready' });
  t.is(json.error.code, 'app_start_timeout');
  const groups = new Set(
    (await scanProcesses())
      .filter(({ spawnerSession }) => spawnerSession === json.error.session)
      .map(({ group }) => group),
  );
  t.is(groups.size, 1);
  await world.daemon.end('SIGINT');
  t.deepEqual(
    (await scanProcesses()).filter(({ group }) => groups.has(group)),
    [],
  );
});

test('a session whose end a kill interrupted is ended by the next daemon, and is no failure', async (t) => {
  const world = await startWorld(t, { flags: ['--stop-grace', '2s'] });
  const { id } = await world.init({ wait: 'ready', env: { STUBBORN: '1' } });
  const deleted = world.daemon.api('DELETE', `/sessions/${id}`).catch(() => undefined);
  await until('its route to go', async () => (await world.visit(id)).status === 410);
  await until('the end to be noted', async () =>
    (await readFile(`${world.stateDir}/sessions/${id}.json`, 'utf8')).includes('"deleted":true'),
  );
  await world.daemon.end('SIGKILL');
  await deleted;
  t.not((await world.processes(id)).length, 0);
  await world.restartDaemon();
  await until('its process to be gone', async () => (await world.processes(id)).length === 0);
  t.is((await world.session(id)).status, 404);
  t.notRegex(
    (await world.daemon.api('GET', '/metrics')).body,
    /^spawner_session_failures_total\{.*\} [1-9]/m,
  );
});

test('a client of HTTP/1.0 without Host is served', async (t) => {
  const world = await startWorld(t);
  const { id } = await world.init({ wait: 'ready' });
  const answer = await sendRaw(world.router.publicSocket, `GET /p/${id}/old HTTP/1.0\r\n\r\n`);
  t.is(answer.status, 200);
  t.true(answer.text.includes(`"session":"${id}"`));
});

test('Ctrl-C ends sessions whose records somebody removed', async (t) => {
  const world = await startWorld(t);
  const { id } = await world.init({ wait: 'ready' });
  await rm(`${world.stateDir}/sessions`, { recursive: true });
  await world.daemon.end('SIGINT');
  t.deepEqual(await world.processes(id), []);
});

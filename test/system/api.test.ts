/** The API's contract: what is refused, how, and that nothing is lost by it. */
import { connect } from 'node:net';
import test from 'ava';
import { until } from '../support/poll.ts';
import { startWorld } from '../support/world.ts';

test('wrong requests get a 4xx with a stable code and a line that names what is wrong', async (t) => {
  const { daemon } = await startWorld(t);
  const json = { 'content-type': 'application/json' };
  const id = 'a'.repeat(26);
  const table: [string, string, string | undefined, Record<string, string>, number, string, RegExp][] = [
    ['POST', '/init', '{"env":', json, 400, 'bad_json', /not JSON/],
    ['POST', '/init', '[]', json, 400, 'invalid_field', /expected (object|record)/i],
    ['POST', '/init', '"x"', json, 400, 'invalid_field', /expected/i],
    ['POST', '/init', '{"imgae":"x","nv":1}', json, 400, 'unknown_field', /"imgae", "nv"/],
    ['POST', '/init', '{"wait":"forever"}', json, 400, 'invalid_field', /"wait"/],
    ['POST', '/init', '{"env":{"A":1}}', json, 400, 'invalid_field', /"env.A"/],
    ['POST', '/init', '{"env":{"A B":"1"}}', json, 400, 'invalid_field', /"env.A B"/],
    ['POST', '/init', '{"env":{"PORT":"1"}}', json, 400, 'invalid_field', /"env.PORT".*the session's own/],
    ['POST', '/init', '{"env":{"__proto__":"x"}}', json, 400, 'bad_json', /__proto__/],
    [
      'POST',
      '/init',
      '{}',
      { 'content-type': 'application/json; charset=utf-16' },
      415,
      'unsupported_media_type',
      /UTF-8/,
    ],
    [
      'POST',
      '/init',
      '{}',
      { ...json, 'content-encoding': 'gzip' },
      415,
      'unsupported_media_type',
      /not compressed/,
    ],
    ['POST', '/init', undefined, { 'idempotency-key': '' }, 400, 'bad_idempotency_key', /255/],
    ['POST', '/init', '{"env":{"SPAWNER_X":"1"}}', json, 400, 'invalid_field', /SPAWNER_/],
    ['POST', '/init', '{"env":{"A":"\\u0000"}}', json, 400, 'invalid_field', /NUL/],
    ['POST', '/init', '{"labels":{"a b":"x"}}', json, 400, 'invalid_field', /"labels.a b"/],
    ['POST', '/init', '{"labels":{"a":"-x"}}', json, 400, 'invalid_field', /"labels.a"/],
    [
      'POST',
      '/init',
      '{}',
      { 'content-type': 'text/plain' },
      415,
      'unsupported_media_type',
      /application\/json/,
    ],
    [
      'POST',
      '/init',
      JSON.stringify({ env: { A: 'x'.repeat(70_000) } }),
      json,
      413,
      'body_too_large',
      /64 KB/,
    ],
    ['POST', '/init', undefined, { 'idempotency-key': 'with blank' }, 400, 'bad_idempotency_key', /255/],
    ['POST', '/init', undefined, { origin: 'https://evil.example' }, 403, 'browser_refused', /Web pages/],
    ['POST', '/init', undefined, { 'sec-fetch-site': 'cross-site' }, 403, 'browser_refused', /Web pages/],
    ['POST', '/init', undefined, { host: 'rebound.example:8080' }, 403, 'browser_refused', /loopback/],
    ['GET', '/init', undefined, {}, 405, 'method_not_allowed', /POST/],
    ['PUT', `/sessions/${id}`, undefined, {}, 405, 'method_not_allowed', /GET/],
    ['GET', `/sessions/${id}`, undefined, {}, 404, 'unknown_session', /no session/],
    ['DELETE', `/sessions/${id}`, undefined, {}, 404, 'unknown_session', /no session/],
    ['GET', '/sessions/..%2f..%2fetc', undefined, {}, 404, 'unknown_session', /no session/],
    ['GET', '/sessions?limit=0', undefined, {}, 400, 'invalid_field', /"limit"/],
    ['GET', '/sessions?limit=1&limit=2', undefined, {}, 400, 'invalid_field', /"limit".*whole number/],
    ['GET', '/sessions?stat=ready', undefined, {}, 400, 'unknown_field', /"stat"/],
    ['GET', `/sessions?cursor=${id}`, undefined, {}, 400, 'stale_cursor', /anew/],
    ['GET', '/nowhere', undefined, {}, 404, 'not_found', /\/nowhere/],
  ];
  for (const [method, path, body, headers, status, code, message] of table) {
    const answer = await daemon.api(method, path, body, headers);
    const what = `${method} ${path} ${body?.slice(0, 60)}`;
    t.is(answer.status, status, `${what}: ${answer.body}`);
    t.is(answer.json.error.code, code, what);
    t.regex(answer.json.error.message, message, what);
    t.is(answer.json.error.requestId, answer.headers['x-request-id'], what);
    await until('the same id in the log', () => daemon.log().includes(answer.json.error.requestId));
  }
  t.deepEqual((await daemon.api('GET', '/sessions')).json, { sessions: [], next: null });
});

test('a body of unknown length is cut off at the limit', async (t) => {
  const { daemon } = await startWorld(t);
  const [host, port] = daemon.address.split(':') as [string, string];
  const socket = connect(Number(port), host);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => {}); // reset while we still write
  socket.write(
    'POST /init HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
  );
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
  const pour = setInterval(() => socket.write(chunk), 5);
  await until('an answer', () => answer.includes('body_too_large'));
  clearInterval(pour);
  socket.destroy();
  t.regex(answer, /^HTTP\/1.1 413 /);
});

test('beyond loopback a token is asked for, but not of probes', async (t) => {
  const { daemon } = await startWorld(t, { flags: ['--api-token', 'a-token-of-some-length'] });
  for (const authorization of [
    '',
    'Bearer wrong',
    'Bearer a-token-of-some-lengt',
    'Basic a-token-of-some-length',
  ]) {
    const answer = await daemon.api('POST', '/init', undefined, { authorization });
    t.is(answer.status, 401);
    t.is(answer.json.error.code, 'unauthorized');
  }
  t.is((await daemon.api('GET', '/metrics')).status, 401);
  t.is((await daemon.api('GET', '/healthz')).status, 200);
  t.is((await daemon.api('GET', '/readyz')).status, 200);
  const answer = await daemon.api('POST', '/init', undefined, {
    authorization: 'Bearer a-token-of-some-length',
  });
  t.is(answer.status, 201);
});

test('--max-sessions: one more is told 429 and when to come again; an ended one makes room', async (t) => {
  const { daemon, init } = await startWorld(t, { flags: ['--max-sessions', '2'] });
  const { id } = await init();
  await init();
  const refused = await daemon.api('POST', '/init');
  t.is(refused.status, 429);
  t.is(refused.json.error.code, 'too_many_sessions');
  t.regex(refused.headers['retry-after'] ?? '', /^\d+$/);
  await daemon.api('DELETE', `/sessions/${id}`);
  await t.notThrowsAsync(init());
});

test('one Idempotency-Key is one session, however often and at once it is sent, also after kill -9', async (t) => {
  const world = await startWorld(t);
  const send = (body = {}) => world.daemon.api('POST', '/init', body, { 'idempotency-key': 'order-17' });
  const answers = await Promise.all(Array.from({ length: 50 }, () => send()));
  const ids = new Set(answers.map((answer) => answer.json.id));
  t.is(ids.size, 1);
  t.deepEqual([...new Set(answers.map((answer) => answer.status))], [201]);
  t.is(answers.filter((answer) => answer.headers['idempotency-replayed'] === 'true').length, 49);

  const waiting = await send({ wait: 'ready' });
  t.is(waiting.status, 201, 'how long one waits makes no other session');
  t.is(waiting.json.id, [...ids][0]);

  const other = await send({ labels: { a: 'b' } });
  t.is(other.status, 422);
  t.is(other.json.error.code, 'idempotency_key_reused');

  await world.daemon.end('SIGKILL');
  await world.restartDaemon();
  t.is((await send()).json.id, [...ids][0]);
  await world.daemon.api('DELETE', `/sessions/${[...ids][0]}`);
  t.not((await send()).json.id, [...ids][0], 'an ended session is not given out again');
});

test('lists are paged, filtered, oldest first', async (t) => {
  const { daemon, init } = await startWorld(t);
  const made: string[] = [];
  for (const team of ['red', 'blue', 'red', 'blue', 'red']) made.push((await init({ labels: { team } })).id);
  const ids = (answer: { json: { sessions: { id: string }[] } }) => answer.json.sessions.map(({ id }) => id);

  const first = await daemon.api('GET', '/sessions?limit=2');
  const second = await daemon.api('GET', `/sessions?limit=2&cursor=${first.json.next}`);
  const third = await daemon.api('GET', `/sessions?limit=2&cursor=${second.json.next}`);
  t.deepEqual([...ids(first), ...ids(second), ...ids(third)], made);
  t.is(third.json.next, null);
  t.deepEqual(ids(await daemon.api('GET', '/sessions?label=team=red')), [made[0], made[2], made[4]]);
  t.deepEqual(ids(await daemon.api('GET', '/sessions?state=failed')), []);

  const page = await daemon.api('GET', '/sessions?label=team=red&limit=1');
  await daemon.api('DELETE', `/sessions/${page.json.next}`);
  const living = await daemon.api('GET', `/sessions?state=ready&cursor=${page.json.next}`);
  t.is(living.status, 200, 'a cursor stands for a place, also when its session has ended');
  t.false(ids(living).includes(page.json.next));
});

test('a session says why it lives and when it will go', async (t) => {
  const world = await startWorld(t, { flags: ['--max-lifetime', '1h'] });
  const { id } = await world.init({ wait: 'ready' });
  const socket = await world.connect(id);
  const busy = await until('the connection to be seen', async () => {
    const { json } = await world.session(id);
    return json.reap.verdict === 'busy' && json;
  });
  t.like(busy.activity, { source: 'router', activeConnections: 1, secondsInactive: 0 });
  t.is(busy.reap.why, '1 connection open');
  t.true(busy.reap.lifetimeSecondsLeft > 3500 && busy.reap.lifetimeSecondsLeft <= 3600);
  socket.terminate();
  const idle = await until('the session to be idle', async () => {
    const { json } = await world.session(id);
    return json.reap.verdict === 'idle' && json.activity.secondsInactive > 0 && json;
  });
  t.is(idle.reap.idleTimeoutSeconds, 30);
  t.true(idle.reap.secondsLeft > 0 && idle.reap.secondsLeft < 30);
  t.regex(idle.reap.why, /nobody is connected; it is reaped in [\d.]+ s/);
});

test('metrics tell sessions, durations, reaps and zones', async (t) => {
  const world = await startWorld(t, { flags: ['--idle-timeout', '300ms'] });
  const { id } = await world.init({ wait: 'ready' });
  await until('the session to be gone', async () => (await world.session(id)).json.state === 'gone');
  const { body, headers } = await world.daemon.api('GET', '/metrics');
  t.regex(headers['content-type'] ?? '', /^text\/plain/);
  for (const line of [
    /^spawner_sessions\{state="gone"\} 1$/m,
    /^spawner_init_duration_seconds_count\{outcome="ok"\} 1$/m,
    /^spawner_session_start_duration_seconds_count 1$/m,
    /^spawner_reaps_total\{reason="idle"\} 1$/m,
    /^spawner_router_up\{router="unix:.*"\} 1$/m,
    /^spawner_router_fill_duration_seconds_count 1$/m,
    /^spawner_router_zone_bytes\{router="unix:.*",zone="routes"\} \d+$/m,
    /^spawner_router_zone_free_bytes\{router="unix:.*",zone="activity"\} \d+$/m,
  ]) {
    t.regex(body, line);
  }
});

test('a second daemon with the same state folder refuses to start', async (t) => {
  const world = await startWorld(t);
  const { startDaemon } = await import('../support/daemon.ts');
  const flags = ['--state-dir', world.stateDir, '--router', 'unix:/nowhere', '--application-command', 'true'];
  await t.throwsAsync(startDaemon(flags), { message: /error: --state-dir .* is in use by another daemon/ });
});

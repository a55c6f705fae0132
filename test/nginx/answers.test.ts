import type { ExecutionContext } from 'ava';
import { closedAddress } from '../support/backend.ts';
import { type Answer, ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';
import { connectWebSocket } from '../support/web-socket.ts';

const A = idOf('a');
const B = idOf('b');
const ORIGIN = 'https://app.example';
const html = 'Accept: text/html\r\n';

/** The code of an error, which must have the form that all have, and give nothing away. */
function codeOf(t: ExecutionContext, answer: Answer | RawAnswer): string {
  const { code, message, requestId } = JSON.parse(answer.body).error;
  t.true(message.length > 0 && !/nginx|127\.0\.0\.1/.test(answer.body), answer.body);
  t.regex(requestId, /^[0-9a-f]{32}$/);
  return code;
}

const OWN: [string, string, number, string][] = [
  ['no request line', 'nonsense\r\n\r\n', 400, 'bad_request'],
  ['a NUL', `GET /p/${A}/%00 HTTP/1.1\r\nHost: a\r\n\r\n`, 400, 'bad_request'],
  ['no Host', `GET /p/${A}/ HTTP/1.1\r\n\r\n`, 400, 'bad_request'],
  ['two Hosts', `GET /p/${A}/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`, 400, 'bad_request'],
  ['TRACE', `TRACE /p/${A}/ HTTP/1.1\r\nHost: a\r\n\r\n`, 405, 'method_not_allowed'],
  ['a long target', `GET /p/${A}/${'x'.repeat(50_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414, 'target_too_long'],
  [
    'an unknown encoding',
    `POST /p/${A}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n`,
    501,
    'not_implemented',
  ],
  ['a later HTTP', `GET /p/${A}/ HTTP/4.0\r\nHost: a\r\n\r\n`, 505, 'version_not_supported'],
];

testOnEachStack("nginx's own refusals look like all others", {}, async (t, { router, backend }) => {
  await router.admin.put(A, 'ready', (await backend('A')).address);
  for (const [what, request, status, code] of OWN) {
    const answer = await sendRaw(router.publicSocket, request);
    t.deepEqual([answer.status, codeOf(t, answer)], [status, code], what);
    t.regex(answer.text, /\r\nServer: nginx\r\n/, 'no version');
  }
  const long = await sendRaw(
    router.publicSocket,
    `GET /p/${A}/ HTTP/1.1\r\nHost: a\r\n${html}X: ${'x'.repeat(50_000)}\r\n\r\n`,
  );
  t.true(long.status === 400 || long.status === 431);
  t.regex(long.text, /\r\nContent-Type: text\/html; charset=utf-8\r\n/);
  t.regex(long.body, /<title>(Bad request|Headers too large)<\/title>/);
});

testOnEachStack('a body that breaks off its own rules is told so', {}, async (t, { router, backend }) => {
  await router.admin.put(A, 'ready', (await backend('A')).address);
  const request = `POST /p/${A}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n`;
  const answer = await sendRaw(router.publicSocket, request);
  t.deepEqual([answer.status, codeOf(t, answer)], [400, 'bad_request']);
});

testOnEachStack('pages of other origins can read errors', {}, async (t, { router, backend }) => {
  const visit = (id: string, method = 'GET', headers = {}) =>
    ask(router.publicSocket, `/p/${id}/`, { method, headers: { origin: ORIGIN, ...headers } });
  const mayRead = (answer: Answer, code: string) => {
    t.is(codeOf(t, answer), code);
    t.like(answer.headers, {
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'Retry-After',
      vary: 'Origin, Accept, Sec-Fetch-Mode',
    });
  };
  mayRead(await visit(A), 'router_not_filled');
  await router.admin.fill();
  mayRead(await visit(A, 'PUT'), 'unknown_session');
  await router.admin.put(A, 'ready', await closedAddress());
  mayRead(await visit(A), 'bad_gateway');
  await router.admin.put(A, 'draining', '127.0.0.1:1');
  mayRead(await visit(A), 'session_draining');

  const app = await backend('B');
  await router.admin.put(B, 'ready', app.address);
  t.is((await visit(B)).headers['access-control-allow-origin'], undefined, "an app's answers are its own");
  const same = await ask(router.publicSocket, `/p/${A}/`);
  t.is(same.headers['access-control-allow-origin'], undefined);
});

testOnEachStack('a preflight is answered only where no app is', {}, async (t, { router }) => {
  const preflight = async () => {
    const headers = {
      origin: ORIGIN,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'x-a,content-type',
    };
    return ask(router.publicSocket, `/p/${A}/`, { method: 'OPTIONS', headers });
  };
  await router.admin.fill();
  const unknown = await preflight();
  t.deepEqual([unknown.status, unknown.body], [200, '']);
  t.like(unknown.headers, {
    'access-control-allow-origin': ORIGIN,
    'access-control-allow-methods': 'PUT',
    'access-control-allow-headers': 'x-a,content-type',
    'access-control-max-age': '0',
  });
  await router.admin.put(A, 'ready', await closedAddress());
  const down = await preflight();
  t.deepEqual([down.status, down.headers['access-control-allow-methods']], [502, undefined]);
  await router.admin.remove(A);
  t.is((await preflight()).status, 200);
});

testOnEachStack(
  'a session has so many connections and no more',
  { router: { connectionsPerSession: 1 } },
  async (t, { router, backend }) => {
    await router.admin.put(A, 'ready', (await backend('A')).address);
    const socket = await connectWebSocket(router.publicSocket, `/p/${A}/`);
    const answer = await ask(router.publicSocket, `/p/${A}/`);
    t.deepEqual([answer.status, codeOf(t, answer)], [429, 'too_many_connections']);
    t.is(answer.headers['retry-after'], '1');
    await until('the count', async () => (await router.admin.activity(A)).active === 1);
    socket.close();
  },
);

testOnEachStack(
  'WebSockets of pages that may not open them are refused',
  { router: { allowedOrigins: [ORIGIN] } },
  async (t, { router, backend }) => {
    const app = await backend('A');
    await router.admin.put(A, 'ready', app.address);
    const upgrade = (origin: string) =>
      ask(router.publicSocket, `/p/${A}/`, {
        headers: { origin, connection: 'upgrade', upgrade: 'websocket' },
      });
    const answer = await upgrade('https://evil.example');
    t.deepEqual([answer.status, codeOf(t, answer)], [403, 'origin_refused']);
    t.is((await router.admin.activity(A)).total, 0, 'what is refused is no use of a session');
    t.deepEqual(app.seen, []);
    t.is(
      (await ask(router.publicSocket, `/p/${A}/`, { headers: { origin: 'https://evil.example' } })).status,
      200,
    );
  },
);

const host = { router: { mode: 'host', hostSuffix: '.apps.test' } } as const;
testOnEachStack('sessions with hosts of their own get the same answers', host, async (t, { router }) => {
  const socket = router.publicSocket;
  const visit = (name: string, accept = '*/*') =>
    ask(socket, '/x', { headers: { host: name, accept, 'sec-fetch-mode': 'navigate' } });
  const codeAt = async (name: string) => codeOf(t, await visit(name));
  t.is(await codeAt(`${A}.apps.test`), 'router_not_filled');
  await router.admin.fill();
  t.is(await codeAt(`${A}.apps.test:8000`), 'unknown_session');
  t.is(await codeAt('short.apps.test'), 'unknown_session');
  await router.admin.put(A, 'draining', '127.0.0.1:1');
  t.is(await codeAt(`${A}.apps.test`), 'session_draining');

  const two = await sendRaw(
    socket,
    `GET http://${A}.apps.test/ HTTP/1.1\r\nHost: ${B}.apps.test\r\nConnection: close\r\n\r\n`,
  );
  t.deepEqual([two.status, codeOf(t, two)], [400, 'bad_request_target']);
  const bad = await sendRaw(socket, `TRACE / HTTP/1.1\r\nHost: ${A}.apps.test\r\n\r\n`);
  t.deepEqual([bad.status, codeOf(t, bad)], [405, 'method_not_allowed']);

  await router.admin.put(A, 'starting');
  const page = await visit(`${A}.apps.test`, 'text/html');
  t.is(page.status, 200);
  t.true(page.body.includes('/.spawner/wait') && !page.body.includes(A));
  t.is((await router.admin.call('GET', '/v1/health')).body.mode, 'host');
});

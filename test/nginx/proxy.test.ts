import { closedAddress, type Echo, startBackend } from '../support/backend.ts';
import { ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

const A = idOf('a');
const PATH = `/p/${A}/x`;
const MIB = 1024 * 1024;

testOnEachStack('every method reaches the backend, with its body', {}, async (t, { router, backend }) => {
  await router.admin.put(A, 'ready', (await backend('A')).address);
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const answer = await ask(router.publicSocket, PATH, {
      method,
      ...(method === 'GET' ? {} : { body: 'hello' }),
    });
    t.like(JSON.parse(answer.body), { method, url: '/x', bytes: method === 'GET' ? 0 : 5 });
  }
  const head = await ask(router.publicSocket, PATH, { method: 'HEAD' });
  t.deepEqual([head.status, head.body], [200, '']);
});

testOnEachStack(
  'the backend can trust what the router says of the request',
  {},
  async (t, { router, backend }) => {
    await router.admin.put(A, 'ready', (await backend('A')).address);
    const lies = {
      host: 'app.test:8000',
      forwarded: 'for=6.6.6.6',
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-host': 'evil.test',
      'x-forwarded-prefix': '/evil',
      'x-forwarded-proto': 'https',
      'x-real-ip': '6.6.6.6',
      'x-spawner-session': idOf('e'),
      upgrade: 'h2c',
      connection: 'upgrade',
      cookie: 'kept=1',
      'x-own': 'kept',
    };
    const { headers } = JSON.parse((await ask(router.publicSocket, PATH, { headers: lies })).body) as Echo;
    t.deepEqual(headers, {
      host: 'app.test:8000',
      connection: 'close',
      'x-real-ip': 'unix:',
      'x-forwarded-for': 'unix:',
      'x-forwarded-host': 'app.test:8000',
      'x-forwarded-prefix': `/p/${A}`,
      'x-forwarded-proto': 'http',
      'x-spawner-session': A,
      cookie: 'kept=1',
      'x-own': 'kept',
    });
  },
);

testOnEachStack("the backend's answers are its own", {}, async (t, { router }) => {
  const app = await startBackend('A', (incoming, response) => {
    response.writeHead(Number(incoming.url?.slice(1)), {
      'X-Accel-Redirect': '/p/-/wait/',
      'X-Accel-Limit-Rate': '1',
      'X-Spawner-Session': 'mine',
      Location: 'http://elsewhere.test/x',
      'X-Own': 'kept',
    });
    response.end('my own words');
  });
  t.teardown(() => app.stop());
  await router.admin.put(A, 'ready', app.address);
  for (const status of [200, 301, 401, 403, 404, 418, 500, 502, 503, 504]) {
    const answer = await ask(router.publicSocket, `/p/${A}/${status}`);
    t.deepEqual([answer.status, answer.body], [status, 'my own words']);
    t.is(answer.headers.location, 'http://elsewhere.test/x');
    t.is(answer.headers['x-own'], 'kept');
    t.deepEqual(
      Object.keys(answer.headers).filter((name) => /^x-(accel|spawner)/.test(name)),
      [],
    );
  }
});

testOnEachStack(
  'a backend that does not listen is a 502 that tells nothing about it',
  {},
  async (t, { router }) => {
    const address = await closedAddress();
    await router.admin.put(A, 'ready', address);
    const program = await ask(router.publicSocket, PATH, { method: 'POST', body: 'x'.repeat(MIB) });
    t.is(program.status, 502);
    t.is(JSON.parse(program.body).error.code, 'bad_gateway');
    const browser = await ask(router.publicSocket, PATH, { headers: { accept: 'text/html' } });
    t.is(browser.status, 502);
    t.regex(browser.headers['content-type'] ?? '', /^text\/html/);
    const head = await ask(router.publicSocket, PATH, { method: 'HEAD' });
    t.deepEqual([head.status, head.body], [502, '']);
    for (const answer of [program, browser, head]) {
      t.is(answer.headers['cache-control'], 'no-store');
      t.notRegex(answer.body + JSON.stringify(answer.headers), /127\.0\.0\.1|nginx\/\d/);
    }
    await until('the counts to be taken back', async () => (await router.admin.activity(A)).active === 0);
  },
);

testOnEachStack('an answer may have 7 KB of headers', {}, async (t, { router }) => {
  const app = await startBackend('A', (_, response) => {
    response.setHeader('X-Long', 'x'.repeat(7 * 1024));
    response.end('fits');
  });
  t.teardown(() => app.stop());
  await router.admin.put(A, 'ready', app.address);
  const answer = await ask(router.publicSocket, PATH);
  t.is(answer.status, 200);
  t.is(answer.body, 'fits');
});

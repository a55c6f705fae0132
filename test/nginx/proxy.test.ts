import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { closedAddress, type Echo, startBackend } from '../support/backend.ts';
import { ask, open } from '../support/http.ts';
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

testOnEachStack('an event arrives before the next one is sent', {}, async (t, { router }) => {
  let sendSecond = () => {};
  const app = await startBackend('A', (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('data: first\n\n');
    sendSecond = () => response.end('data: second\n\n');
  });
  t.teardown(() => app.stop());
  await router.admin.put(A, 'ready', app.address);
  const answer = (await open(router.publicSocket, PATH)).setEncoding('utf8');
  t.is((await once(answer, 'data'))[0], 'data: first\n\n');
  sendSecond();
  t.is((await once(answer, 'data'))[0], 'data: second\n\n');
});

testOnEachStack('the first byte of an upload arrives before its last is sent', {}, async (t, { router }) => {
  let arrived = (_: string) => {};
  const first = new Promise<string>((resolve) => {
    arrived = resolve;
  });
  const app = await startBackend('A', async (incoming, response) => {
    for await (const chunk of incoming) {
      arrived(String(chunk));
    }
    response.end('all of it');
  });
  t.teardown(() => app.stop());
  await router.admin.put(A, 'ready', app.address);
  const upload = new Readable({ read() {} });
  const answer = ask(router.publicSocket, PATH, { method: 'PUT', body: upload });
  upload.push('first');
  t.is(await first, 'first');
  upload.push('last');
  upload.push(null);
  t.is((await answer).body, 'all of it');
});

testOnEachStack('100-continue is answered before the body is sent', {}, async (t, { router, backend }) => {
  await router.admin.put(A, 'ready', (await backend('A')).address);
  const outgoing = request({
    socketPath: router.publicSocket,
    path: PATH,
    method: 'POST',
    headers: { expect: '100-continue', 'content-length': '5' },
  });
  outgoing.flushHeaders();
  await once(outgoing, 'continue');
  outgoing.end('hello');
  const [incoming] = await once(outgoing, 'response');
  t.is(incoming.statusCode, 200);
  incoming.resume();
  await once(incoming, 'end');
});

testOnEachStack(
  'large bodies stream through, both ways, without filling memory or disk',
  {},
  async (t, { router }) => {
    const size = 256 * MIB;
    let received = 0;
    const app = await startBackend('A', async (incoming, response) => {
      for await (const chunk of incoming) {
        received += chunk.length;
      }
      response.writeHead(200, { 'Content-Length': size });
      zeros(size).pipe(response);
    });
    t.teardown(() => app.stop());
    await router.admin.put(A, 'ready', app.address);
    const before = await memory(await router.workerPids());
    const answer = await open(router.publicSocket, PATH, { method: 'POST', body: zeros(size) });
    let sent = 0;
    let highest = 0;
    for await (const chunk of answer) {
      if (Math.floor(sent / (64 * MIB)) !== Math.floor((sent + chunk.length) / (64 * MIB))) {
        highest = Math.max(highest, await memory(await router.workerPids()));
      }
      sent += chunk.length;
    }
    t.deepEqual([received, sent], [size, size]);
    t.true(highest - before < 8 * MIB, `workers grew by ${(highest - before) / MIB} MiB`);
    for (const name of await readdir(router.directory)) {
      if (name.startsWith('tmp-')) {
        t.deepEqual(await readdir(join(router.directory, name)), [], name);
      }
    }
  },
);

function zeros(size: number): Readable {
  const chunk = Buffer.alloc(256 * 1024);
  let left = size;
  return new Readable({
    read() {
      left -= chunk.length;
      this.push(left >= 0 ? chunk : null);
    },
  });
}

/** Resident bytes of processes together. */
async function memory(pids: number[]): Promise<number> {
  let pages = 0;
  for (const pid of pids) {
    pages += Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1]);
  }
  return pages * 4096;
}

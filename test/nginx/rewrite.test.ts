import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ExecutionContext } from 'ava';
import { startBackend } from '../support/backend.ts';
import { insertBefore } from '../support/bundle.ts';
import { ask, open } from '../support/http.ts';
import { getRaw } from '../support/raw-http.ts';
import type { Router } from '../support/router.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

const A = idOf('a');
const P = `/p/${A}`;

type Headers = { [name: string]: string | string[] };

/** Has A's app give one answer. */
async function answering(
  t: ExecutionContext,
  router: Router,
  status: number,
  headersOf: (address: string) => Headers,
  body: Buffer | string = '',
): Promise<void> {
  const app = await startBackend('A', (_, response) => {
    response.writeHead(status, headersOf(app.address)).end(body);
  });
  t.teardown(() => app.stop());
  await router.admin.put(A, 'ready', app.address);
}

/** The values of a header of A's answer, in their order, one character a byte. */
async function told(router: Router, name: string, target = `${P}/docs/page`): Promise<string[]> {
  const { text } = await getRaw(router.publicSocket, target);
  const lines = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n');
  const start = `${name.toLowerCase()}: `;
  return lines.filter((line) => line.toLowerCase().startsWith(start)).map((line) => line.slice(start.length));
}

for (const status of [201, 302, 307]) {
  testOnEachStack(`a ${status} leads into the session`, {}, async (t, { router }) => {
    let location = '';
    await answering(t, router, status, (address) => ({
      Location: location.replace('APP', address),
      Refresh: `0; url="http://${address}/x"`,
    }));
    for (const [said, wanted] of [
      ['/x?y#z', `${P}/x?y#z`],
      ['../../x', `${P}/x`],
      ['http://APP/x', `${P}/x`],
      ['https://spawner.test/x', `https://spawner.test${P}/x`],
      ['x', 'x'],
      [`${P}/x`, `${P}/x`],
      ['http://elsewhere.test/x', 'http://elsewhere.test/x'],
    ] as const) {
      location = said;
      t.deepEqual(await told(router, 'Location'), [wanted], said);
      t.deepEqual(await told(router, 'Refresh'), [`0; url="${P}/x"`]);
    }
  });
}

testOnEachStack('ten cookies keep their order, and their bytes', {}, async (t, { router }) => {
  const cookies = Array.from({ length: 10 }, (_, i) => `c${i}=v, c=\xe9\xfc; HttpOnly`);
  await answering(t, router, 200, () => ({
    'Set-Cookie': [
      ...cookies.map((cookie) => `${cookie}; Path=/`),
      'spawner-token=mine',
      '',
      '__Host-x=y; Secure; Path=/',
      'last=1; Domain=spawner.test; Path=/x',
    ],
  }));
  t.deepEqual(await told(router, 'Set-Cookie'), [
    ...cookies.map((cookie) => `${cookie}; Path=${P}/`),
    `last=1; Path=${P}/x`,
  ]);
});

testOnEachStack('cookies that are left alone, and none of them left', {}, async (t, { router }) => {
  let cookies = ['a=1', `b=2; Path=${P}/; Secure`];
  await answering(t, router, 200, () => ({ 'Set-Cookie': cookies }));
  t.deepEqual(await told(router, 'Set-Cookie'), cookies);
  cookies = ['spawner-token=a', '__Secure-spawner-token=b; Secure'];
  t.deepEqual(await told(router, 'Set-Cookie'), []);
});

testOnEachStack('links of one line or of several', {}, async (t, { router }) => {
  await answering(t, router, 200, (address) => ({
    Link: ['</a>; rel=preload; as=style, <b>', `<http://${address}/c>; title="</d>"`, '<//elsewhere.test/>'],
  }));
  t.deepEqual(await told(router, 'Link'), [
    `<${P}/a>; rel=preload; as=style, <b>`,
    `<${P}/c>; title="</d>"`,
    '<//elsewhere.test/>',
  ]);
});

testOnEachStack('bytes that are no UTF-8, and long values', {}, async (t, { router }) => {
  let headers: Headers = { Location: '/\xe9?\xfc', 'Content-Location': '/\xff', Refresh: '0;/\xe9' };
  await answering(t, router, 200, () => headers);
  t.deepEqual(await told(router, 'Location'), [`${P}/\xe9?\xfc`]);
  t.deepEqual(await told(router, 'Content-Location'), [`${P}/\xff`]);
  t.deepEqual(await told(router, 'Refresh'), [`0;${P}/\xe9`]);
  const long = 'x'.repeat(2500);
  headers = { Location: `/${long}`, Link: `</a>; title="${long}\\""`, 'Set-Cookie': `a=${long}` };
  t.deepEqual(await told(router, 'Location'), [`${P}/${long}`]);
  t.deepEqual(await told(router, 'Link'), [`<${P}/a>; title="${long}\\""`]);
  t.deepEqual(await told(router, 'Set-Cookie'), [`a=${long}`]);
});

testOnEachStack('what can not be rewritten is not sent', {}, async (t, { router }) => {
  await answering(t, router, 201, () => ({ Location: '/x', 'Set-Cookie': ['a=b', 'c=d'] }));
  await insertBefore(router, 'let parts = line.split(";")', 'throw Error("no way: " + context.prefix);');
  t.deepEqual(await told(router, 'Set-Cookie'), []);
  t.deepEqual(await told(router, 'Location'), [`${P}/x`]);
});

testOnEachStack('a 304 keeps its headers', {}, async (t, { router }) => {
  await answering(t, router, 304, () => ({
    'Content-Location': '/x',
    ETag: '"1"',
    'Set-Cookie': 'a=b; Path=/',
  }));
  const answer = await ask(router.publicSocket, `${P}/`);
  t.is(answer.status, 304);
  t.like(answer.headers, { 'content-location': `${P}/x`, etag: '"1"', 'set-cookie': [`a=b; Path=${P}/`] });
});

testOnEachStack('the body is what it was', {}, async (t, { router }) => {
  const body = gzipSync('<a href="/x">');
  await answering(t, router, 201, () => ({ Location: '/x', 'Content-Encoding': 'gzip', ETag: '"1"' }), body);
  const incoming = await open(router.publicSocket, `${P}/`);
  const chunks = await incoming.toArray();
  t.is(String(gunzipSync(Buffer.concat(chunks))), '<a href="/x">');
  t.like(incoming.headers, { location: `${P}/x`, 'content-encoding': 'gzip', etag: '"1"' });
});

testOnEachStack('a request that waited for its session', {}, async (t, { router }) => {
  const app = await startBackend('A', (_, response) => {
    response.writeHead(302, { Location: `http://${app.address}/x` }).end();
  });
  t.teardown(() => app.stop());
  await router.admin.put(A, 'starting');
  const waiting = ask(router.publicSocket, `${P}/`, { headers: { accept: 'application/json' } });
  // The router has taken it up when it has answered others since.
  for (let count = 0; count < 30; count += 1) await router.admin.call('GET', '/v1/health');
  await router.admin.put(A, 'ready', app.address);
  t.is((await waiting).headers.location, `${P}/x`);
  t.is((await router.admin.activity(A)).total, 1);
});

testOnEachStack('the answer to an upgrade', {}, async (t, { router }) => {
  const app = createServer().on('upgrade', (_, socket) => {
    socket.end(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSet-Cookie: a=b; Path=/\r\n\r\nhello',
    );
  });
  await once(app.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => app.close());
  await router.admin.put(A, 'ready', `127.0.0.1:${(app.address() as AddressInfo).port}`);
  const upgrade = 'Upgrade: websocket\r\nConnection: upgrade\r\n';
  const { status, text, body } = await getRaw(router.publicSocket, `${P}/`, upgrade);
  t.deepEqual([status, body], [101, 'hello']);
  t.true(text.includes(`\r\nSet-Cookie: a=b; Path=${P}/\r\n`));
});

const ANSWER = (address: string): Headers => ({
  Location: `http://${address}/x`,
  'Content-Location': '/x',
  'Set-Cookie': ['a=b; Path=/; Domain=apps.test', '__Host-c=d; Secure; Path=/'],
});

testOnEachStack('an app that keeps its prefix', { router: { mode: 'path-kept' } }, async (t, { router }) => {
  await answering(t, router, 302, ANSWER);
  t.deepEqual(await told(router, 'Location'), ['/x']);
  t.deepEqual(await told(router, 'Content-Location'), ['/x']);
  t.deepEqual(await told(router, 'Set-Cookie'), [`a=b; Path=${P}/`]);
});

const HOST = { router: { mode: 'host', hostSuffix: '.apps.test' } } as const;
testOnEachStack('an app at a host of its own', HOST, async (t, { router }) => {
  await answering(t, router, 302, ANSWER);
  const answer = await ask(router.publicSocket, '/', { headers: { host: `${A}.apps.test` } });
  t.like(answer.headers, {
    location: '/x',
    'content-location': '/x',
    'set-cookie': ['a=b; Path=/', '__Host-c=d; Secure; Path=/'],
  });
});

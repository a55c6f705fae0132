import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { RouteState } from '../../njs/route.ts';
import type { Echo } from '../support/backend.ts';
import { ask } from '../support/http.ts';
import { getRaw, sendRaw } from '../support/raw-http.ts';
import type { Router } from '../support/router.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';
import { makeToken, putRoutes } from '../support/tokens.ts';

const A = idOf('a');
const B = idOf('b');
const P = `/p/${A}`;
const mine = makeToken();
const other = makeToken();
const RIGHT = `spawner-token=${mine.token}`;

/** A at `address` asks for our token, and B for another one. */
async function guard(router: Router, address: string, state: RouteState = 'ready'): Promise<void> {
  await putRoutes(router, 1, {
    [A]: { state, address, tokenDigest: mine.tokenDigest },
    [B]: { state, address, tokenDigest: other.tokenDigest },
  });
}

testOnEachStack('without the right cookie nobody gets in', {}, async (t, { router, backend }) => {
  const app = await backend('A');
  await guard(router, app.address);
  const wrong = `${mine.token.slice(0, -1)}${mine.token.endsWith('A') ? 'E' : 'A'}`;
  for (const [name, headers] of Object.entries({
    'no cookie': {},
    'a wrong token': { cookie: `spawner-token=${wrong}` },
    'a part of it': { cookie: `spawner-token=${mine.token.slice(0, 42)}` },
    'more than it': { cookie: `spawner-token=${mine.token}A` },
    'in quotes': { cookie: `spawner-token="${mine.token}"` },
    'its digest': { cookie: `spawner-token=${mine.tokenDigest}` },
    "another session's": { cookie: `spawner-token=${other.token}` },
    'another name': { cookie: `Spawner-Token=${mine.token}; xspawner-token=${mine.token}` },
    'the name for https': { cookie: `__Secure-spawner-token=${mine.token}` },
    'the name for hosts': { cookie: `__Host-spawner-token=${mine.token}` },
    'another header': { authorization: `Bearer ${mine.token}`, 'spawner-token': mine.token },
  })) {
    for (const method of ['GET', 'POST', 'OPTIONS', 'DELETE']) {
      const answer = await ask(router.publicSocket, `${P}/`, { method, headers });
      t.is(answer.status, 403, `${method}, ${name}`);
      t.is(JSON.parse(answer.body).error.code, 'token_required', `${method}, ${name}`);
    }
  }
  t.deepEqual(app.seen, []);
});

testOnEachStack('one right cookie is enough, and no app sees it', {}, async (t, { router, backend }) => {
  const app = await backend('A');
  await guard(router, app.address);
  for (const [cookie, seen] of [
    [RIGHT, undefined],
    [`a=1;${RIGHT} ;b=2`, 'a=1;b=2'],
    [`spawner-token=x; ${RIGHT}; spawner-token=${other.token}; a`, 'a'],
    [`__Secure-spawner-token=y; a="1;2"; ${RIGHT}; SPAWNER-TOKEN=z`, 'a="1;2"'],
  ] as const) {
    const answer = await ask(router.publicSocket, `${P}/x?y=%2f`, { method: 'POST', headers: { cookie } });
    t.is(answer.status, 200, cookie);
    const echo = JSON.parse(answer.body) as Echo;
    t.is(echo.headers.cookie, seen, cookie);
    t.is(echo.url, '/x?y=%2f');
  }
  // Bytes that are no UTF-8 stay as they are.
  const raw = await getRaw(router.publicSocket, `${P}/`, `Cookie: a=\xe9\xff; ${RIGHT}; b=\x80\r\n`);
  t.is(JSON.parse(raw.body).headers.cookie, Buffer.from('a=\xe9\xff; b=\x80').toString('latin1'));
});

testOnEachStack('the URL with the token leads to the one without it', {}, async (t, { router, backend }) => {
  const app = await backend('A');
  await guard(router, app.address);
  for (const method of ['GET', 'HEAD']) {
    const answer = await ask(router.publicSocket, `${P}//%2e?a=%2f&${RIGHT}&b`, { method });
    t.is(answer.status, 303);
    t.is(answer.headers.location, `${P}//%2e?a=%2f&b`);
    t.deepEqual(answer.headers['set-cookie'], [`${RIGHT}; Path=${P}/; HttpOnly; SameSite=Lax`]);
    t.is(answer.headers['referrer-policy'], 'no-referrer');
    t.is(answer.headers['cache-control'], 'no-store');
    t.is(answer.body, '');
  }
  const again = await ask(router.publicSocket, `${P}/?${RIGHT}`, { headers: { cookie: RIGHT } });
  t.is(again.status, 303, 'whoever comes with the cookie gets rid of the token, too');
  const bytes = await getRaw(router.publicSocket, `${P}/\xe9?${RIGHT}&\xff`);
  t.regex(bytes.text, new RegExp(`\r\nLocation: ${P}/\xe9\\?\xff\r\n`));
  t.deepEqual(app.seen, []);
});

testOnEachStack('a token that stands elsewhere opens nothing', {}, async (t, { router, backend }) => {
  const app = await backend('A');
  await guard(router, app.address);
  const socket = router.publicSocket;
  for (const query of [
    `spawner%2Dtoken=${mine.token}`,
    `spawner-token=%${mine.token.charCodeAt(0).toString(16)}${mine.token.slice(1)}`,
    `x;${RIGHT}`,
    `Spawner-Token=${mine.token}`,
    `spawner-token=${other.token}`,
    `spawner-token=`,
    `spawner-token=${mine.token}%00`,
  ]) {
    t.is((await ask(socket, `${P}/?${query}`)).status, 403, query);
  }
  t.is((await ask(socket, `${P}/?${RIGHT}`, { method: 'POST', body: 'x' })).status, 403);
  t.is((await ask(socket, `/p/${B}/?${RIGHT}`)).status, 403, 'the URL of another session');
  const upgrade =
    'Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n';
  const head = `GET ${P}/?${RIGHT} HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`;
  t.is((await sendRaw(socket, head)).status, 403);
  const twice = await ask(socket, `${P}/?spawner-token=x&a&${RIGHT}`);
  t.deepEqual([twice.status, twice.headers.location], [303, `${P}/?a`]);
  t.deepEqual(app.seen, []);
});

testOnEachStack('a WebSocket needs the cookie', {}, async (t, { router, backend }) => {
  const app = await backend('A');
  await guard(router, app.address);
  const url = `ws+unix://${router.publicSocket}:${P}/`;
  const [error] = await once(new WebSocket(url), 'error');
  t.regex(error.message, /403/);
  const socket = new WebSocket(url, { headers: { cookie: RIGHT } });
  await once(socket, 'open');
  socket.close();
  await once(socket, 'close');
  t.deepEqual(app.seen, ['/']);
});

testOnEachStack('a session that starts asks for it before all else', {}, async (t, { router }) => {
  await guard(router, '', 'starting');
  const page = { accept: 'text/html' };
  const shown = await ask(router.publicSocket, `${P}/`, { headers: page });
  t.is(shown.status, 403);
  t.regex(shown.body, /token_required/);
  t.is((await ask(router.publicSocket, `${P}/`, { method: 'POST' })).status, 403, 'it is not held');
  const enters = await ask(router.publicSocket, `${P}/?${RIGHT}`, { headers: page });
  t.is(enters.status, 303);
  const waits = await ask(router.publicSocket, `${P}/`, { headers: { ...page, cookie: RIGHT } });
  t.is(waits.status, 200);
  t.regex(waits.body, /Starting/);
});

const trusting = { router: { trustedProxies: ['unix:'] } };
testOnEachStack('behind https only a secure cookie counts', trusting, async (t, { router, backend }) => {
  const app = await backend('A');
  await guard(router, app.address);
  const https = { 'x-forwarded-proto': 'https' };
  const entered = await ask(router.publicSocket, `${P}/?${RIGHT}`, { headers: https });
  t.deepEqual(entered.headers['set-cookie'], [
    `__Secure-${RIGHT}; Path=${P}/; HttpOnly; SameSite=Lax; Secure`,
  ]);
  const insecure = await ask(router.publicSocket, `${P}/`, { headers: { ...https, cookie: RIGHT } });
  t.is(insecure.status, 403);
  const secure = { ...https, cookie: `__Secure-${RIGHT}` };
  t.is((await ask(router.publicSocket, `${P}/`, { headers: secure })).status, 200);
});

const hosts = { router: { mode: 'host', hostSuffix: '.apps.test' } } as const;
testOnEachStack('no URL at a host of its own leads elsewhere', hosts, async (t, { router, backend }) => {
  const app = await backend('A');
  await guard(router, app.address);
  for (const [target, location] of [
    ['/x', '/x'],
    ['//evil.test/x', '/.//evil.test/x'],
    ['/\\evil.test/x', '/./\\evil.test/x'],
  ]) {
    const request = `GET ${target}?${RIGHT} HTTP/1.1\r\nHost: ${A}.apps.test\r\nConnection: close\r\n\r\n`;
    const { status, text } = await sendRaw(router.publicSocket, request);
    t.is(status, 303);
    t.is(/\r\nLocation: (.*)\r\n/.exec(text)?.[1], location);
    t.regex(text, /; Path=\/; HttpOnly/);
  }
});

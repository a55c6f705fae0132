import type { ExecutionContext } from 'ava';
import { reservePorts } from '../support/ports.ts';
import { sendRaw } from '../support/raw-http.ts';
import type { RouterOptions } from '../support/router.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

const A = idOf('a');
const B = idOf('b');
const HERE = '127.0.0.1:20000';
const DIGEST = 'd'.repeat(43);
const ready = { state: 'ready', address: HERE };

testOnEachStack('an admin call that is wrong says so and changes nothing', {}, async (t, { router }) => {
  const wrong: [string, string, unknown, number, string][] = [
    ['GET', '/', undefined, 404, 'not_found'],
    ['GET', '/v2/health', undefined, 404, 'not_found'],
    ['GET', `/p/${A}/`, undefined, 404, 'not_found'],
    ['POST', '/v1/health', {}, 405, 'method_not_allowed'],
    ['PATCH', '/v1/routes', {}, 405, 'method_not_allowed'],
    ['POST', `/v1/routes/${A}`, {}, 405, 'method_not_allowed'],
    ['POST', '/v1/routes', '{"generation":', 400, 'bad_request'],
    ['POST', '/v1/routes', '', 400, 'bad_request'],
    ['POST', '/v1/routes', { generation: 1, put: { [A]: ready, x: ready } }, 400, 'bad_request'],
    [
      'POST',
      '/v1/routes',
      { generation: 1, put: { [A]: { state: 'ready', address: 'x:1' } } },
      400,
      'bad_request',
    ],
    ['PUT', `/v1/routes/${A}`, { state: 'ready', address: HERE }, 400, 'bad_request'],
    ['PUT', `/v1/routes/${A}`, { generation: 1, ...ready, extra: 1 }, 400, 'bad_request'],
    ['PUT', `/v1/routes/${A}`, 'null', 400, 'bad_request'],
    ['PUT', `/v1/routes/${A}`, { generation: 1, ...ready, tokenDigest: 'short' }, 400, 'bad_request'],
    ['PUT', '/v1/routes/short', { generation: 1, ...ready }, 400, 'bad_request'],
    ['GET', '/v1/routes/!boot', undefined, 400, 'bad_request'],
    ['GET', `/v1/routes/${A}`, undefined, 404, 'unknown_route'],
    ['DELETE', `/v1/routes/${A}`, undefined, 400, 'bad_request'],
    ['DELETE', `/v1/routes/${A}?generation=x`, undefined, 400, 'bad_request'],
    ['POST', '/v1/filled', {}, 400, 'bad_request'],
    ['POST', '/v1/filled', { bootId: '0'.repeat(32) }, 409, 'wrong_boot'],
    ['POST', '/v1/routes', `{"generation":1,"put":{}}${' '.repeat(128 * 1024)}`, 413, 'too_large'],
    ['POST', '/v1/routes', { generation: 1, delete: ids(501) }, 413, 'too_large'],
  ];
  for (const [method, path, body, status, code] of wrong) {
    const answer = await router.admin.call(method, path, body);
    t.is(answer.status, status, `${method} ${path}`);
    t.is(answer.body.error.code, code, `${method} ${path}`);
    t.regex(answer.body.error.requestId, /^[0-9a-f]{32}$/);
    t.true(answer.body.error.message.length > 0);
  }
  const { body } = await router.admin.call('GET', '/v1/routes');
  t.deepEqual([body.filled, body.generation, body.routes], [false, 0, {}]);
});

testOnEachStack('one route can be put, read and deleted by itself', {}, async (t, { router }) => {
  const path = `/v1/routes/${A}`;
  t.is((await router.admin.call('PUT', path, { generation: 5, ...ready })).status, 200);
  t.deepEqual((await router.admin.call('GET', path)).body, { ...ready, generation: 5 });

  const late = await router.admin.call('PUT', path, { generation: 4, state: 'draining', address: HERE });
  t.deepEqual([late.status, late.body.error.code], [409, 'stale_generation']);
  t.is((await router.admin.call('DELETE', `${path}?generation=4`)).status, 409);
  t.deepEqual((await router.admin.call('GET', path)).body, { ...ready, generation: 5 });

  t.is((await router.admin.call('DELETE', `${path}?generation=6`)).status, 200);
  t.deepEqual((await router.admin.call('GET', path)).body, { state: 'gone', generation: 6, address: '' });
});

testOnEachStack('a route keeps the digest of its token to its end', {}, async (t, { router }) => {
  const path = `/v1/routes/${A}`;
  const asking = { ...ready, tokenDigest: DIGEST };
  t.is((await router.admin.call('PUT', path, { generation: 1, ...asking })).status, 200);
  t.is((await router.admin.call('PUT', `/v1/routes/${B}`, { generation: 1, ...ready })).status, 200);
  t.deepEqual((await router.admin.call('GET', path)).body, { ...asking, generation: 1 });
  t.deepEqual((await router.admin.call('GET', '/v1/routes')).body.routes, {
    [A]: ['ready', 1, HERE, DIGEST],
    [B]: ['ready', 1, HERE],
  });

  const tokenDigest = 'e'.repeat(43);
  t.is((await router.admin.call('PUT', path, { generation: 2, ...ready, tokenDigest })).status, 200);
  t.is((await router.admin.call('DELETE', `${path}?generation=3`)).status, 200);
  t.deepEqual((await router.admin.call('GET', '/v1/routes')).body.routes[A], ['gone', 3, '', tokenDigest]);
});

const wide = { router: { backends: ['[fd00::]/8'] } };
testOnEachStack('the largest batch fits, with the longest addresses', wide, async (t, { router }) => {
  const address = `[fdff${':ffff'.repeat(7)}]:65535`;
  const put = Object.fromEntries(
    ids(500).map((id) => [id, { state: 'draining', address, tokenDigest: DIGEST }]),
  );
  const answer = await router.admin.call('POST', '/v1/routes', { generation: Number.MAX_SAFE_INTEGER, put });
  t.is(answer.status, 200);
  const { body } = await router.admin.call('GET', '/v1/routes');
  t.deepEqual(body.routes[ids(500)[499] ?? ''], ['draining', Number.MAX_SAFE_INTEGER, address, DIGEST]);
});

testOnEachStack('health says what the router is and how much room it has', {}, async (t, { router }) => {
  const { body } = await router.admin.call('GET', '/v1/health');
  t.regex(body.bootId, /^[0-9a-f]{32}$/);
  t.deepEqual([body.filled, body.generation, body.mode], [false, 0, 'path']);
  t.is(body.zones.routes.bytes, 8 * 1024 * 1024);
  t.true(body.zones.activity.freeBytes > 0 && body.zones.activity.freeBytes < body.zones.activity.bytes);
  t.regex(body.njs, /^\d+\.\d+\.\d+$/);
  t.regex(body.engine, /^(njs|QuickJS)$/);
});

testOnEachStack(
  'a token is asked for where there is one',
  { router: { adminToken: 'top-secret' } },
  async (t, world) => {
    const admin = world.router.admin;
    t.is((await admin.call('GET', '/v1/health')).status, 200);
    const wrong = [
      '',
      'Bearer ',
      'Bearer top-secre',
      'Bearer top-secreT',
      'Bearer top-secret2',
      'Bearer  top-secret',
      'Bearer top-secret,',
      'Basic top-secret',
      'top-secret',
    ];
    for (const authorization of wrong) {
      const answer = await admin.call(
        'PUT',
        `/v1/routes/${B}`,
        { generation: 1, ...ready },
        { authorization },
      );
      t.deepEqual([answer.status, answer.body.error.code], [401, 'unauthorized'], authorization);
    }
    t.is((await admin.call('GET', `/v1/routes/${B}`)).status, 404);

    const head = 'GET /v1/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n';
    for (const [first, second] of [
      ['top-secret', 'wrong'],
      ['wrong', 'top-secret'],
    ]) {
      const both = `Authorization: Bearer ${first}\r\nAuthorization: Bearer ${second}\r\n`;
      const answer = await sendRaw(world.router.adminAddress, `${head}${both}\r\n`);
      t.true([400, 401].includes(answer.status), `${first}, then ${second}: ${answer.status}`);
      t.false(answer.text.includes('bootId'));
    }
  },
);

async function overTcp(t: ExecutionContext, adminToken: string): Promise<RouterOptions> {
  const ports = await reservePorts();
  t.teardown(ports.release);
  return { router: { adminListen: `127.0.0.1:${ports.first}`, adminToken } };
}

testOnEachStack(
  'over TCP nobody is served where no token is set',
  (t) => overTcp(t, ''),
  async (t, { router }) => {
    for (const authorization of ['', 'Bearer ', 'Bearer x']) {
      const answer = await router.admin.call('GET', '/v1/health', undefined, { authorization });
      t.deepEqual([answer.status, answer.body.error.code], [403, 'admin_token_missing']);
    }
  },
);

testOnEachStack(
  'over TCP the token is asked for',
  (t) => overTcp(t, 'top-secret'),
  async (t, { router }) => {
    t.is((await router.admin.call('GET', '/v1/health')).status, 200);
    t.is(
      (await router.admin.call('GET', '/v1/health', undefined, { authorization: 'Bearer x' })).status,
      401,
    );
  },
);

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index).padStart(26, 'z'));
}

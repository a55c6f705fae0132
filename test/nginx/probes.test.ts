import { ask } from '../support/http.ts';
import { reservePorts } from '../support/ports.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

const A = idOf('a');

testOnEachStack(
  'the probes are answered without a token, and nothing else is',
  async (t) => {
    const ports = await reservePorts();
    t.teardown(ports.release);
    return { router: { adminListen: `127.0.0.1:${ports.first}`, adminToken: 'top-secret' } };
  },
  async (t, { router }) => {
    const call = async (path: string, method = 'GET') => {
      const { status, headers, body } = await ask(router.adminAddress, path, { method });
      return { status, retry: headers['retry-after'], body: body === '' ? '' : JSON.parse(body) };
    };
    const ready = { status: 200, retry: undefined, body: { status: 'ready' } };

    t.deepEqual(await call('/healthz'), { status: 200, retry: undefined, body: { status: 'ok' } });
    t.like(await call('/readyz'), {
      status: 503,
      retry: '1',
      body: { error: { code: 'router_not_filled' } },
    });
    await router.admin.put(A, 'starting');
    t.is((await call('/readyz')).status, 503);
    await router.admin.fill();
    t.deepEqual(await call('/readyz'), ready);
    for (const path of ['/readyz', '/healthz']) {
      t.deepEqual(await call(path, 'HEAD'), { status: 200, retry: undefined, body: '' });
    }

    await router.reload();
    t.deepEqual(await call('/readyz'), ready);
    await router.restart();
    t.is((await call('/readyz')).status, 503);
    t.is((await call('/readyz', 'HEAD')).status, 503);
    t.is((await call('/healthz')).status, 200);

    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/v1/health'],
      ['GET', '/v1/activity'],
      ['GET', '/v1/routes'],
      ['DELETE', `/v1/routes/${A}?generation=9`],
      ['POST', '/v1/filled'],
      ['POST', '/readyz'],
      ['GET', '/readyz/v1/routes'],
      ['GET', '/healthz/'],
    ] as const) {
      t.is((await call(path, method)).status, 401, `${method} ${path}`);
    }
    t.is((await router.admin.call('POST', '/readyz', {})).status, 404);
  },
);

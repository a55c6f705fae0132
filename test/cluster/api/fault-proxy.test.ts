import { type ApiException, CoreV1Api, type V1Namespace, Watch } from '@kubernetes/client-node';
import test, { type ExecutionContext } from 'ava';
import { ALWAYS, type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { until } from '../../support/poll.ts';

let api: KubeApi;
test.before(async () => {
  api = await startKubeApi();
});
test.after.always(() => api?.stop());

async function proxyFor(t: ExecutionContext): Promise<{ proxy: FaultProxy; core: CoreV1Api }> {
  const proxy = await startFaultProxy(api, api.adminToken);
  t.teardown(() => proxy.stop());
  return { proxy, core: proxy.config.makeApiClient(CoreV1Api) };
}

/** Watches one namespace from now on. */
async function watch(t: ExecutionContext, proxy: FaultProxy, name: string) {
  const seen = { events: [] as string[], codes: [] as unknown[], ended: false };
  const request = await new Watch(proxy.config).watch(
    '/api/v1/namespaces',
    { fieldSelector: `metadata.name=${name}` },
    (type, object) => {
      seen.events.push(type);
      if (type === 'ERROR') seen.codes.push(object.code);
    },
    () => {
      seen.ended = true;
    },
  );
  t.teardown(() => request.abort());
  return seen;
}

const label = (name: string, value: string) =>
  api.core.readNamespace({ name }).then((body: V1Namespace) => {
    body.metadata = { ...body.metadata, labels: { value } };
    return api.core.replaceNamespace({ name, body });
  });

test('without a fault, everything passes', async (t) => {
  const { proxy, core } = await proxyFor(t);
  const name = await api.namespace();
  t.is((await core.readNamespace({ name })).metadata?.name, name);
  const seen = await watch(t, proxy, name);
  await label(name, 'changed');
  await until('the change to be seen', () => seen.events.includes('MODIFIED'));
  t.is(proxy.count({ method: 'GET', path: /watch=true/ }), 1);
  t.like(proxy.log[0], { method: 'GET', path: `/api/v1/namespaces/${name}`, status: 200 });
});

test('a planned answer comes for the requests it names, and only as often as planned', async (t) => {
  const { proxy, core } = await proxyFor(t);
  const name = await api.namespace();
  const headers = { 'retry-after': '7' };
  const plan = proxy.plan(
    { method: 'GET', path: /namespaces\/test-/ },
    { answer: 429, headers },
    { skip: 1 },
  );
  await core.readNamespace({ name });
  const error = (await t.throwsAsync(core.readNamespace({ name }))) as ApiException<string>;
  t.is(error.code, 429);
  t.is(error.headers['retry-after'], '7');
  t.is(plan.hits, 1);
  await core.readNamespace({ name });
  t.deepEqual(
    proxy.log.map(({ status }) => status),
    [200, 429, 200],
  );
});

test('a plan holds until it is removed', async (t) => {
  const { proxy, core } = await proxyFor(t);
  const plan = proxy.plan({}, { answer: 401 }, { times: ALWAYS });
  for (let tried = 0; tried < 3; tried++) await t.throwsAsync(core.listNamespace());
  t.is(plan.hits, 3);
  plan.remove();
  await core.listNamespace();
  t.is(plan.hits, 3);
});

test('a lost reply: done, but not said', async (t) => {
  const { proxy, core } = await proxyFor(t);
  const name = `${await api.namespace()}-more`;
  proxy.plan({ method: 'POST' }, 'lose-reply');
  const error = await t.throwsAsync(core.createNamespace({ body: { metadata: { name } } }));
  t.false('code' in error && error.code === 201);
  t.is((await api.core.readNamespace({ name })).metadata?.name, name);
});

test('a cut connection: neither done nor said', async (t) => {
  const { proxy, core } = await proxyFor(t);
  const name = `${await api.namespace()}-more`;
  proxy.plan({ method: 'POST' }, 'cut');
  await t.throwsAsync(core.createNamespace({ body: { metadata: { name } } }));
  t.is(((await t.throwsAsync(api.core.readNamespace({ name }))) as ApiException<string>).code, 404);
});

test('a stalled request waits until its client gives up, and was not done', async (t) => {
  const { proxy } = await proxyFor(t);
  const name = `${await api.namespace()}-more`;
  proxy.plan({ method: 'POST' }, 'stall');
  const giveUp = new AbortController();
  const asked = fetch(`${proxy.server}/api/v1/namespaces`, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ metadata: { name } }),
    signal: giveUp.signal,
  });
  await until('the request to arrive', () => proxy.count({ method: 'POST' }) === 1);
  giveUp.abort();
  await t.throwsAsync(asked, { name: 'AbortError' });
  t.is(((await t.throwsAsync(api.core.readNamespace({ name }))) as ApiException<string>).code, 404);
});

test('a frozen watch stays open and hears nothing; others do', async (t) => {
  const { proxy } = await proxyFor(t);
  const name = await api.namespace();
  const frozen = await watch(t, proxy, name);
  await until('the watch to be open', () => frozen.events.length > 0);
  const before = frozen.events.length;
  t.is(proxy.freeze({ path: /watch=true/ }), 1);
  const other = await watch(t, proxy, name);
  await label(name, 'changed');
  await until('the other watch to see the change', () => other.events.includes('MODIFIED'));
  t.is(frozen.events.length, before);
  t.false(frozen.ended);
});

test('an expired watch gets the error as an event, and ends', async (t) => {
  const { proxy } = await proxyFor(t);
  const seen = await watch(t, proxy, await api.namespace());
  await until('the watch to be open', () => seen.events.length > 0);
  t.is(proxy.expire({ path: /watch=true/ }, 410), 1);
  await until('the watch to end', () => seen.ended);
  t.deepEqual(seen.codes, [410]);
});

test('away: open watches break, connections are refused, and it comes back at the same place', async (t) => {
  const { proxy, core } = await proxyFor(t);
  const name = await api.namespace();
  const seen = await watch(t, proxy, name);
  await until('the watch to be open', () => seen.events.length > 0);
  await proxy.away();
  await until('the watch to break', () => seen.ended);
  const error = await t.throwsAsync(fetch(proxy.server));
  t.is((error.cause as NodeJS.ErrnoException).code, 'ECONNREFUSED');
  await proxy.back();
  t.is((await core.readNamespace({ name })).metadata?.name, name);
});

import test from 'ava';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { until } from '../../support/poll.ts';
import { type ApiWorld, startApiWorld } from '../support/api-world.ts';

let kube: KubeApi;
test.before(async () => {
  kube = await startKubeApi({ controllers: true });
});
test.after.always(() => kube?.stop());

const refusal = async (world: ApiWorld, body?: unknown) => {
  const { status, json, headers } = await world.daemon.api('POST', '/init', body);
  return { status, ...json.error, retryAfter: headers['retry-after'] };
};

test('a full quota is 429, and leaves nothing behind', async (t) => {
  const world = await startApiWorld(t, kube);
  const { namespace } = world;
  const quota = { metadata: { name: 'one' }, spec: { hard: { pods: '1' } } };
  await kube.core.createNamespacedResourceQuota({ namespace, body: quota });
  // No controller of quotas runs: nothing is admitted before somebody says what is in use.
  const status = { hard: { pods: '1' }, used: { pods: '0' } };
  await kube.core.replaceNamespacedResourceQuotaStatus({
    ...{ name: 'one', namespace },
    body: { ...(await kube.core.readNamespacedResourceQuota({ name: 'one', namespace })), status },
  });
  const { id } = await world.init();
  const refused = await refusal(world);
  t.like(refused, { status: 429, code: 'quota_exceeded', retryAfter: '5' });
  t.regex(refused.message, /exceeded quota: one, requested: pods=1, used: pods=1, limited: pods=1/);
  await until('the refused session to be forgotten', async () => (await world.sessions()).length === 1);
  t.deepEqual(
    (await world.pods()).map(({ metadata }) => metadata?.name),
    [`session-${id}`],
  );
  t.deepEqual(await world.routes(), [id]);
});

test('what admission refuses is 502 with its words, and leaves nothing behind', async (t) => {
  const world = await startApiWorld(t, kube, { flags: ['--max-memory', '4Gi', '--max-cpu', '4'] });
  const { namespace } = world;
  const limits = [{ type: 'Container', max: { memory: '1Gi' } }];
  await kube.core.createNamespacedLimitRange({
    namespace,
    body: { metadata: { name: 'small' }, spec: { limits } },
  });
  const large = await refusal(world, { resources: { limits: { memory: '2Gi' } } });
  t.like(large, { status: 502, code: 'pod_refused' });
  t.regex(large.message, /maximum memory usage per Container is 1Gi, but limit is 2Gi/);
  const wrong = await refusal(world, {
    resources: { requests: { cpu: '2' }, limits: { cpu: '1', memory: '1Gi' } },
  });
  t.like(wrong, { status: 502, code: 'pod_refused' });
  t.regex(wrong.message, /Invalid value: "2": must be less than or equal to cpu limit/);
  t.deepEqual(await world.pods(), []);
  await until('the refused sessions to be forgotten', async () => (await world.sessions()).length === 0);
});

test('a caller may choose what the operator allows, and nothing else', async (t) => {
  const flags = ['--allow-image', 'team/*:1.*', '--max-memory', '512Mi'];
  const world = await startApiWorld(t, kube, { flags });
  t.like(await refusal(world, { image: 'evil/app:1.0' }), { status: 403, code: 'image_not_allowed' });
  t.like(await refusal(world, { resources: { limits: { memory: '1Gi' } } }), {
    status: 403,
    code: 'resources_not_allowed',
  });
  t.deepEqual(await world.pods(), []);
  const { id } = await world.init({ image: 'team/app:1.7', resources: { limits: { memory: '256Mi' } } });
  const app = (await world.pod(id))?.spec?.containers[0];
  t.is(app?.image, 'team/app:1.7');
  t.like(app?.resources, { limits: { memory: '256Mi' } });
});

test('an environment arrives as it was sent: what the kubelet would replace is escaped', async (t) => {
  const world = await startApiWorld(t, kube);
  const env = { PLAIN: 'a b', NAMED: '$(HOME) $HOME', DOUBLED: '$$(HOME)', LINES: 'one\ntwo', EMPTY: '' };
  const { id } = await world.init({ env });
  const given = (await world.pod(id))?.spec?.containers[0]?.env ?? [];
  const escaped = Object.fromEntries(given.map(({ name, value = '' }) => [name, value]));
  t.like(escaped, { ...env, NAMED: '$$(HOME) $$HOME', DOUBLED: '$$$$(HOME)' });
});

import test, { type ExecutionContext } from 'ava';
import { ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { imageRef, isOwnCluster, theCluster } from './support/cluster.ts';
import { exitsWhenAsked, running } from './support/example-app.ts';
import { type Installation, install } from './support/install.ts';
import { type Outside, objectsOf, outside, type SessionView } from './support/outside.ts';
import { grantedRights, triedRights } from './support/rights.ts';

const namespace = 'spawner-sessions';
const missingImage = imageRef('spawner-missing:1');
// Comes with our own cluster, and says nothing of a user.
const rootImage = 'spawner-busybox:1';

const begun = new Date();
const settings = {
  SPAWNER_STOP_GRACE: '1s',
  SPAWNER_START_TIMEOUT: '20s',
  SPAWNER_UNSCHEDULABLE_TIMEOUT: '3s',
  SPAWNER_ALLOW_IMAGE: `${missingImage},${rootImage}`,
  SPAWNER_MAX_CPU: '10000',
  SPAWNER_MAX_MEMORY: '128Mi',
};
let spawner: Installation;
test.before(async () => {
  spawner = await install({ ...settings, SPAWNER_REQUIRE_TOKEN: 'true' });
});
test.after.always(() => spawner?.remove());

/** `/init` says why the session failed, and so does all else; nothing of it is left. */
async function fails(t: ExecutionContext, body: object, code: string): Promise<SessionView['failure']> {
  const world = await outside(t, spawner);
  const answer = await world.api('POST', '/init', { wait: 'ready', ...body });
  t.is(answer.status, 502, answer.body);
  const { error } = JSON.parse(answer.body);
  t.is(error.code, code, answer.body);
  return hasFailed(t, world, error.session, code);
}

async function hasFailed(t: ExecutionContext, world: Outside, id: string, code: string) {
  const { failure } = await world.untilState(id, 'failed');
  t.is(failure?.code, code, JSON.stringify(failure));
  await world.untilGone(id);
  return failure;
}

test.serial('a visitor without a token, or with an earlier one', async (t) => {
  const { api, start, end, router } = await outside(t, spawner);
  const { id, url } = await start();
  const status = async (token?: string) => {
    const headers = token === undefined ? {} : { cookie: `spawner-token=${token}` };
    return (await ask(await router(), `/p/${id}/session`, { headers })).status;
  };
  const first = tokenOf(url);
  t.is(await status(), 403);
  t.is(await status(first), 200);
  const renewed = await api('POST', `/sessions/${id}/token`);
  t.is(renewed.status, 200, renewed.body);
  t.is(await status(first), 403);
  t.is(await status(tokenOf(JSON.parse(renewed.body).url)), 200);
  await end(id);
  // The others need none.
  await spawner.apply(settings);
});

function tokenOf(url: string): string {
  return new URL(url).searchParams.get('spawner-token') ?? '';
}

for (const refused of ['pods', 'services']) {
  test.serial(`a quota that has no room for ${refused}`, async (t) => {
    const { api, start, end, living } = await outside(t, spawner);
    const { core } = theCluster();
    const name = 'full';
    await core.createNamespacedResourceQuota({
      namespace,
      body: { metadata: { name }, spec: { hard: { [refused]: '0' } } },
    });
    const remove = () => core.deleteNamespacedResourceQuota({ namespace, name });
    t.teardown(() => remove().catch(() => {}));
    await until('the quota to be known', async () => {
      const { status } = await core.readNamespacedResourceQuota({ namespace, name });
      return status?.hard?.[refused];
    });
    const answer = await api('POST', '/init');
    t.is(answer.status, 429, answer.body);
    t.is(JSON.parse(answer.body).error.code, 'quota_exceeded');
    t.truthy(answer.headers['retry-after']);
    await until('nothing to be left', async () => (await objectsOf()).length === 0, 60);
    t.deepEqual(await living(), []);
    await remove();
    const { id } = await until('room again', () => start().catch(() => undefined));
    await end(id);
  });
}

test('its Pod is deleted by hand', async (t) => {
  const world = await outside(t, spawner);
  const { id } = await world.start();
  await theCluster().core.deleteNamespacedPod({ namespace, name: `session-${id}` });
  await hasFailed(t, world, id, 'app_lost');
});

test('the app crashes', async (t) => {
  const world = await outside(t, spawner);
  const { id } = await world.start({ env: exitsWhenAsked });
  t.is((await world.visit(id, 'exit')).status, 502);
  const failure = await hasFailed(t, world, id, 'app_exited');
  t.is(failure?.exitCode, 7);
  t.is(failure?.output.at(-1), 'cannot find my database');
});

test('the app crashes at its start', async (t) => {
  const env = running("console.error('no luck'); process.exit(3)");
  t.like(await fails(t, { env }, 'app_exited'), { exitCode: 3, output: ['no luck'] });
});

test('the app takes more memory than it may', async (t) => {
  const env = running('const hoard = []; for (;;) hoard.push(Buffer.alloc(2 ** 22, 1));');
  await fails(t, { env, resources: { limits: { memory: '128Mi' } } }, 'app_out_of_memory');
});

test('the image is not there', async (t) => {
  const failure = await fails(t, { image: missingImage }, 'image_pull_failed');
  t.true(failure?.message.includes(missingImage));
});

(isOwnCluster ? test : test.skip)('the image wants to be root', async (t) => {
  t.regex((await fails(t, { image: rootImage }, 'container_refused'))?.message ?? '', /root/);
});

test('no node has so much', async (t) => {
  const resources = { requests: { cpu: '9999' } };
  t.regex((await fails(t, { resources }, 'unschedulable'))?.message ?? '', /cpu/i);
});

test('the app listens elsewhere', async (t) => {
  await fails(t, { env: running('process.env.PORT = 9999') }, 'app_start_timeout');
});

// Afterwards all that the daemon ever does has been done.
test.after('the daemon may do what it does, and nothing else', async (t) => {
  if (!isOwnCluster) return;
  const granted = await grantedRights();
  // A watch is written down when it ends, which it does when it has been silent for half a minute.
  await until(
    'the watches to go on anew',
    async () => (await triedRights(begun)).length >= granted.length,
    120,
  );
  t.deepEqual(await triedRights(begun), granted);
});

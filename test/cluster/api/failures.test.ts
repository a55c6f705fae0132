import test from 'ava';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { until } from '../../support/poll.ts';
import { type ApiWorld, startApiWorld } from '../support/api-world.ts';
import { sayOfContainer, writeTemplate } from '../support/pods.ts';

let kube: KubeApi;
test.before(async () => {
  kube = await startKubeApi({ controllers: true });
});
test.after.always(() => kube?.stop());

interface Trouble {
  /** What the played kubelet says of the Pod. */
  play(world: ApiWorld, pod: string): Promise<void>;
  code: string;
  says: RegExp;
}

const TROUBLES: Record<string, Trouble> = {
  'pull-back-off': {
    play: ({ kubelet }, pod) =>
      kubelet.waiting(pod, 'ImagePullBackOff', 'Back-off pulling\n image "my-app:1"'),
    code: 'image_pull_failed',
    says: /can't be pulled \(ImagePullBackOff\): Back-off pulling image "my-app:1"\.$/,
  },
  'bad-name': {
    play: ({ kubelet }, pod) => kubelet.waiting(pod, 'InvalidImageName', 'invalid reference format'),
    code: 'image_pull_failed',
    says: /\(InvalidImageName\): invalid reference format\.$/,
  },
  'bad-config': {
    play: ({ kubelet }, pod) => kubelet.waiting(pod, 'CreateContainerConfigError', 'secret "s" not found'),
    code: 'container_refused',
    says: /\(CreateContainerConfigError\): secret "s" not found\.$/,
  },
  memory: {
    play: ({ kubelet }, pod) => kubelet.terminated(pod, 'OOMKilled', 137),
    code: 'app_out_of_memory',
    says: /^The container app used more memory than its limit allows/,
  },
  exit: {
    play: ({ kubelet }, pod) => kubelet.terminated(pod, 'Error', 3),
    code: 'app_exited',
    says: /^The app exited with code 3\.$/,
  },
  evicted: {
    play: ({ kubelet }, pod) => kubelet.failed(pod, 'Evicted', 'The node was low on resource: memory.'),
    code: 'pod_evicted',
    says: /\(Evicted\): The node was low on resource: memory\.$/,
  },
  sidecar: {
    play: ({ namespace }, pod) =>
      sayOfContainer(kube.core, namespace, pod, 'spawner-sidecar', { terminated: { exitCode: 1 } }),
    code: 'sidecar_exited',
    says: /^The status sidecar ended: code 1\.$/,
  },
};

/** Starts a session, waits for it as a caller would, and plays its trouble meanwhile. */
async function fail(world: ApiWorld, name: string, play: (pod: string) => Promise<void>) {
  const answer = world.daemon.api('POST', '/init', { wait: 'ready', labels: { name } });
  const id = await until(`session ${name}`, async () => {
    const { json } = await world.daemon.api('GET', `/sessions?label=name=${name}`);
    return (await world.pod(json.sessions[0]?.id)) && (json.sessions[0].id as string);
  });
  await play(`session-${id}`);
  return { id, answer: await answer };
}

test('trouble that does not pass ends a session early, and says what it is in one line', async (t) => {
  const flags = [
    '--unschedulable-timeout',
    '1s',
    '--status',
    'sidecar',
    '--sidecar-image',
    'spawner-router:1',
  ];
  const world = await startApiWorld(t, kube, { flags });
  const fails = async (name: string, play: Trouble['play'], { code, says }: Omit<Trouble, 'play'>) => {
    const { id, answer } = await fail(world, name, (pod) => play(world, pod));
    t.is(answer.status, 502, name);
    t.is(answer.json.error.code, code, name);
    t.regex(answer.json.error.message, says, name);
    t.false(answer.json.error.message.includes('\n'), name);
    t.is((await world.visit(id)).status, 410, `${name}: no route is left`);
    await world.untilGone(id);
  };
  const played = Object.entries(TROUBLES).map(([name, { play, ...expected }]) =>
    fails(
      name,
      async (_, pod) => {
        await world.kubelet.assign(pod);
        await play(world, pod);
      },
      expected,
    ),
  );
  const unschedulable = fails(
    'unschedulable',
    ({ kubelet }, pod) => kubelet.unschedulable(pod, '0/1 nodes are available: 1 Insufficient memory.'),
    {
      code: 'unschedulable',
      says: /^No node takes the Pod: 0\/1 nodes are available: 1 Insufficient memory\.$/,
    },
  );
  await Promise.all([...played, unschedulable]);
});

test('an app that crashes again and again has failed, also where its Pod would start it for ever', async (t) => {
  const template = await writeTemplate(t, 'spec: {restartPolicy: Always}');
  const world = await startApiWorld(t, kube, { flags: ['--pod-template', template] });
  const { id, answer } = await fail(world, 'crash', async (pod) => {
    await world.kubelet.assign(pod);
    await world.kubelet.terminated(pod, 'Error', 1);
    await world.kubelet.waiting(pod, 'CrashLoopBackOff', 'back-off 10s restarting failed container', 3);
  });
  t.is(answer.json.error.code, 'app_crash_loop');
  t.is(answer.json.error.message, 'The container app crashes again and again, 3 times so far.');
  await world.untilGone(id);
});

test('what is not Ready in time has failed, at the start and later', async (t) => {
  const world = await startApiWorld(t, kube, { flags: ['--start-timeout', '2s'] });
  const late = fail(world, 'late', async (pod) => {
    await world.kubelet.assign(pod);
    await world.kubelet.running(pod, '127.0.0.1', false);
  });
  const { id } = await world.init();
  const host = await world.serve(id, 'hello');
  await world.until(id, 'ready');
  await world.kubelet.running(`session-${id}`, host, false);
  await world.until(id, 'failed');
  const lost = (await world.sessions()).find((session) => session.id === id);
  t.is(lost?.failure?.code, 'app_unready');
  t.regex(
    lost?.failure?.message ?? '',
    /^After 2 s \(--start-timeout\) the Pod is not Ready: the readiness probe/,
  );
  t.is((await world.visit(id)).status, 410);
  const { answer } = await late;
  t.is(answer.json.error.code, 'app_start_timeout');
  t.regex(answer.json.error.message, /the readiness probe of container app has not succeeded\.$/);
  await world.untilGone(id);
  await world.untilGone((await late).id);
});

test('a Pod that somebody else deletes loses its route while it is still Terminating', async (t) => {
  const world = await startApiWorld(t, kube);
  const { namespace } = world;
  const { id } = await world.init();
  await world.serve(id, 'hello');
  await world.until(id, 'ready');
  await kube.core.deleteNamespacedPod({ name: `session-${id}`, namespace });
  await until('the route to go', async () => (await world.visit(id)).status === 410);
  t.truthy((await world.pod(id))?.metadata?.deletionTimestamp, 'it is still there');
  await world.until(id, 'failed');
  await world.untilGone(id);
});

test('a Pod that is gone at once takes its session with it', async (t) => {
  const world = await startApiWorld(t, kube);
  const { namespace } = world;
  const { id } = await world.init();
  await world.serve(id, 'hello');
  await world.until(id, 'ready');
  await kube.core.deleteNamespacedPod({ name: `session-${id}`, namespace, gracePeriodSeconds: 0 });
  await world.until(id, 'failed');
  t.is((await world.sessions())[0]?.failure?.code, 'app_lost');
  t.is((await world.visit(id)).status, 410);
  await world.untilGone(id);
});

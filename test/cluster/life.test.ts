import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'ava';
import { whereTo } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { theCluster } from './support/cluster.ts';
import { count, running } from './support/example-app.ts';
import { type Installation, install } from './support/install.ts';
import { outside } from './support/outside.ts';

const namespace = 'spawner-sessions';

let spawner: Installation;
test.before(async () => {
  spawner = await install({ SPAWNER_IDLE_TIMEOUT: '6s', SPAWNER_STOP_GRACE: '1s' });
});
test.after.always(() => spawner?.remove());

test('a session is what was asked for, safe, and has a Service of its own', async (t) => {
  const { start, session, api, connect } = await outside(t, spawner);
  const tellsAll = running(`
    const { existsSync } = process.getBuiltinModule('fs');
    console.log(process.env.GREETING, process.getuid(), existsSync('/var/run/secrets/kubernetes.io'));
  `);
  const { id } = await start({ env: { GREETING: 'hello', ...tellsAll }, labels: { user: 'ada' } });
  const socket = await connect(id);
  const { labels, output } = await session(id);
  t.deepEqual(labels, { user: 'ada' });
  t.is(output?.[0], 'hello 65532 false', 'its environment, no root, no token');
  const { sessions } = JSON.parse((await api('GET', '/sessions?label=user%3Dada')).body);
  t.deepEqual(
    sessions.map((one: { id: string }) => one.id),
    [id],
  );

  const { core } = theCluster();
  const scope = { namespace, name: `session-${id}` };
  const pod = await core.readNamespacedPod(scope);
  t.like(pod.metadata?.labels, {
    'spawner/session': id,
    'spawner/shard': id.charAt(0),
    'app.kubernetes.io/managed-by': 'spawner',
  });
  t.like(pod.spec, { automountServiceAccountToken: false, restartPolicy: 'Never' });
  t.like(pod.spec?.securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
  t.deepEqual(
    pod.spec?.containers.map(({ name }) => name),
    ['app', 'spawner-sidecar'],
  );
  for (const { securityContext } of pod.spec?.containers ?? []) {
    t.like(securityContext, { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
  }

  const service = await core.readNamespacedService(scope);
  t.is(service.spec?.clusterIP, 'None');
  t.is(service.metadata?.ownerReferences?.[0]?.uid, pod.metadata?.uid);
  const { subsets } = await until('the Service to lead to the Pod', async () => {
    const endpoints = await core.readNamespacedEndpoints(scope);
    return endpoints.subsets?.[0]?.addresses && endpoints;
  });
  t.is(subsets?.[0]?.addresses?.[0]?.ip, pod.status?.podIP);
  socket.close();
});

test('a silent WebSocket keeps its session, which is reaped when it closes', async (t) => {
  const { start, session, connect, visit, untilOneIsReaped, untilState, untilGone } = await outside(
    t,
    spawner,
  );
  const { id } = await start();
  t.is(JSON.parse((await visit(id, 'session')).body).session, id);
  const socket = await connect(id);
  // Nobody ever visits these two, but for the probes of the kubelet: the idle timeout passes twice.
  await untilOneIsReaped();
  await untilOneIsReaped();
  const { state, activity, reap } = await session(id);
  t.is(state, 'ready');
  t.like(activity, { source: 'sidecar', activeConnections: 1 });
  t.like(reap, { verdict: 'busy', why: '1 connection open' });
  t.like(await count(socket), { session: id, count: 1 });

  socket.close();
  await untilGone(id);
  t.is((await untilState(id, 'gone')).endReason, 'idle');
});

test('short requests keep a session', async (t) => {
  const { start, session, visit, untilOneIsReaped, untilGone } = await outside(t, spawner);
  const { id } = await start();
  let over = false;
  const timeoutPassesTwice = untilOneIsReaped()
    .then(untilOneIsReaped)
    .then(() => {
      over = true;
    });
  const visits = async () => {
    t.is((await visit(id, 'session')).status, 200);
    return over;
  };
  await Promise.all([until('others to be reaped', visits, 180), timeoutPassesTwice]);
  t.like(await session(id), { state: 'ready', activity: { source: 'sidecar' } });
  await untilGone(id);
});

test('a connection that is kept alive and says nothing keeps no session', async (t) => {
  const { start, router, untilGone, session } = await outside(t, spawner);
  const { id } = await start();
  const socket = connect(whereTo(await router()) as { host: string; port: number });
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  t.regex(await exchange(socket, `/p/${id}/session`), new RegExp(id));
  await untilGone(id);
  t.is((await session(id)).endReason, 'idle');
  t.regex(
    await exchange(socket, `/p/${id}/session`),
    /^HTTP\/1.1 410/,
    'the connection was open all the time',
  );
});

/** One more request on a connection, and the beginning of its answer. */
async function exchange(socket: Socket, path: string): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: spawner.test\r\n\r\n`);
  let text = '';
  while (!text.includes('}')) text += String((await once(socket, 'data'))[0]);
  return text;
}

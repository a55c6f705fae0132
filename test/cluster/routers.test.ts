import type { V1Pod } from '@kubernetes/client-node';
import test, { type ExecutionContext } from 'ava';
import { type Address, ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { isOwnCluster, kubectl } from './support/cluster.ts';
import { count, openWebSocket } from './support/example-app.ts';
import { type Installation, install } from './support/install.ts';
import { outside } from './support/outside.ts';
import { isReady, killPod, nameOf, podsOf, routerAddress, signal } from './support/parts.ts';

const onOwnCluster = isOwnCluster ? test.serial : test.skip;
let spawner: Installation;
test.before(async () => {
  spawner = await install({ SPAWNER_IDLE_TIMEOUT: '6s', SPAWNER_STOP_GRACE: '1s' });
});
test.after.always(() => spawner?.remove());

test.serial('a router that comes knows all sessions before anybody visits it', async (t) => {
  const { start, connect } = await outside(t, spawner);
  const sessions = await Promise.all([start(), start(), start()]);
  for (const { id } of sessions) await connect(id);
  const known = (await podsOf('router')).map(nameOf);
  await scale(3);
  const name = await until('a third router', async () =>
    (await podsOf('router')).map(nameOf).find((one) => !known.includes(one)),
  );
  const address = await until('its address', () => addressOf(t, name), 60);
  let checksWhenReady = 0;
  while (checksWhenReady < 20) {
    const ready = isReady(await router(name));
    for (const { id } of sessions) {
      const { status } = await ask(address, `/p/${id}/session`);
      t.true(status === 200 || (!ready && status === 503), `${status}, ${ready ? 'ready' : 'not ready yet'}`);
    }
    if (ready) checksWhenReady += 1;
  }
});

test.serial('WebSockets live on in routers that are taken away, and keep their sessions', async (t) => {
  const { start, session, untilOneIsReaped } = await outside(t, spawner);
  await scale(3);
  const routers = await readyRouters(3);
  const visitors = await Promise.all(
    routers.map(async (pod) => {
      const { id } = await start();
      return { id, socket: await openWebSocket(t, await routerAddress(t, pod), id) };
    }),
  );
  await scale(1);
  await readyRouters(1);
  t.is((await podsOf('router')).length, 3, 'two shut down');
  await untilOneIsReaped();
  await untilOneIsReaped();
  for (const { id, socket } of visitors) {
    t.like(await session(id), { state: 'ready', reap: { verdict: 'busy' } });
    t.is((await count(socket)).session, id);
  }
  t.is((await podsOf('router')).length, 3, 'they still shut down');
  for (const { socket } of visitors) socket.close();
  await until('them to end', async () => (await podsOf('router')).length === 1, 150);
});

test.serial('when a router is killed, the other serves, and a new one is filled', async (t) => {
  const { start, connect } = await outside(t, spawner);
  await scale(2);
  const [killed, other] = (await readyRouters(2)) as [V1Pod, V1Pod];
  const { id } = await start();
  const address = await routerAddress(t, other);
  await openWebSocket(t, address, id);
  await killPod(killed);
  const fresh = await until(
    'another router',
    async () => {
      t.is((await ask(address, `/p/${id}/session`)).status, 200);
      return (await podsOf('router')).find(
        (pod) => isReady(pod) && ![killed, other].map(nameOf).includes(nameOf(pod)),
      );
    },
    60,
  );
  t.is((await ask(await routerAddress(t, fresh), `/p/${id}/session`)).status, 200);
  t.is((await count(await connect(id))).session, id);
});

onOwnCluster(
  'while a router hangs, sessions begin and none is reaped, until it is started anew',
  async (t) => {
    const { start, session, api, untilState } = await outside(t, spawner);
    // A hung nginx ends with its Pod's grace period only.
    const brief = JSON.stringify({ spec: { template: { spec: { terminationGracePeriodSeconds: 5 } } } });
    await kubectl('patch', 'deployment', 'spawner-router', '--namespace=spawner', `--patch=${brief}`);
    await kubectl('rollout', 'status', 'deployment/spawner-router', '--namespace=spawner', '--timeout=90s');
    const [hung, other] = (await readyRouters(2)) as [V1Pod, V1Pod];
    const idle = await start();
    await signal(hung, 'SIGSTOP');

    const answer = await api('POST', '/init', { wait: 'ready' });
    t.is(answer.status, 201, answer.body);
    const begun = JSON.parse(answer.body);
    t.is(restarts(await router(nameOf(hung))), 0, 'it does not wait for the hung one to come back');
    // Its sidecar sees nobody, but short requests through the hung one would go unseen.
    await until(
      'the use of the idle session to be unknown',
      async () => (await session(idle.id)).reap?.verdict === 'unknown',
      30,
    );
    const socket = await openWebSocket(t, await routerAddress(t, other), begun.id);

    const started = await until(
      'the hung router to be started anew',
      async () => {
        const pod = await router(nameOf(hung));
        return restarts(pod) > 0 && isReady(pod) && pod;
      },
      150,
    );
    const { endReason, endedAt } = await untilState(idle.id, 'gone');
    t.is(endReason, 'idle');
    const { finishedAt } = started.status?.containerStatuses?.[0]?.lastState?.terminated ?? {};
    t.true(new Date(endedAt ?? 0) >= (finishedAt as Date), 'not while it hung');
    t.is((await ask(await routerAddress(t, started), `/p/${begun.id}/session`)).status, 200);
    t.is((await count(socket)).session, begun.id);
  },
);

async function scale(replicas: number): Promise<void> {
  await kubectl('scale', 'deployment', 'spawner-router', '--namespace=spawner', `--replicas=${replicas}`);
}

async function readyRouters(expected: number): Promise<V1Pod[]> {
  return until(
    `${expected} routers to be ready`,
    async () => {
      const ready = (await podsOf('router')).filter(isReady);
      return ready.length === expected && ready;
    },
    60,
  );
}

async function router(name: string): Promise<V1Pod> {
  const pod = (await podsOf('router')).find((one) => nameOf(one) === name);
  if (!pod) throw new Error(`the router ${name} is gone`);
  return pod;
}

/** As soon as somebody listens there. */
async function addressOf(t: ExecutionContext, name: string): Promise<Address | undefined> {
  const pod = await router(name);
  return pod.status?.podIP ? routerAddress(t, pod) : undefined;
}

function restarts({ status }: V1Pod): number {
  return status?.containerStatuses?.[0]?.restartCount ?? 0;
}

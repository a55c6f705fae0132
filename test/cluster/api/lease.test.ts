import { CoordinationV1Api } from '@kubernetes/client-node';
import test from 'ava';
import pino from 'pino';
import { holdLease } from '../../../daemon/runtime/kubernetes/lease.ts';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { until } from '../../support/poll.ts';
import { startApiWorld } from '../support/api-world.ts';

let kube: KubeApi;
let leases: CoordinationV1Api;
test.before(async () => {
  kube = await startKubeApi();
  leases = kube.config.makeApiClient(CoordinationV1Api);
});
test.after.always(() => kube.stop());

const log = pino({ level: 'silent' });

function contend(namespace: string, identity: string) {
  const told = { waiting: '', lost: '' };
  const held = holdLease({
    leases,
    namespace,
    identity,
    waiting: (reason) => {
      told.waiting = reason;
    },
    lost: (holder) => {
      told.lost = holder;
    },
    log,
  });
  return { told, held };
}

test('one daemon at a time, and the next as soon as the first lets go', async (t) => {
  const namespace = await kube.namespace();
  const first = await contend(namespace, 'first').held;
  const second = contend(namespace, 'second');
  await until('the second to wait', () => second.told.waiting);
  t.regex(second.told.waiting, /another daemon, first, works in namespace/);
  await first.release();
  await (await second.held).release();
});

test('of many that come at once one gets it', async (t) => {
  const namespace = await kube.namespace();
  const all = ['a', 'b', 'c', 'd', 'e'].map((identity) => contend(namespace, identity));
  const holders: string[] = [];
  const runs = all.map(async ({ held }, index) => {
    const lease = await held;
    holders.push(String(index));
    t.is(holders.length, 1);
    holders.pop();
    await lease.release();
  });
  await Promise.all(runs);
});

test('a holder that is gone is waited for, and one that was replaced is told', async (t) => {
  const namespace = await kube.namespace();
  const body = {
    metadata: { name: 'spawner-daemon' },
    spec: { holderIdentity: 'gone', leaseDurationSeconds: 1 },
  };
  await leases.createNamespacedLease({ namespace, body });
  const next = contend(namespace, 'next');
  const lease = await next.held;
  await until('a write between two of the holder', async () => {
    const present = await leases.readNamespacedLease({ name: 'spawner-daemon', namespace });
    t.is(present.spec?.holderIdentity, 'next');
    const taken = { ...present, spec: { holderIdentity: 'usurper' } };
    return leases.replaceNamespacedLease({ name: 'spawner-daemon', namespace, body: taken }).then(
      () => true,
      () => false,
    );
  });
  await until('the holder to be told', () => next.told.lost === 'usurper');
  await lease.release();
  const kept = await leases.readNamespacedLease({ name: 'spawner-daemon', namespace });
  t.is(kept.spec?.holderIdentity, 'usurper', 'who has lost it does not release it');
});

test('a second daemon on the same machine is refused in one line', async (t) => {
  const world = await startApiWorld(t, kube);
  const first = world.daemon;
  t.teardown(() => first.end('SIGKILL'));
  const second = await world.startDaemon();
  await until('the second to end', () => second.process.exitCode !== null);
  t.is(second.process.exitCode, 2);
  t.regex(second.log(), /^error: another daemon of this machine works in namespace test-.*\n$/m);
});

import { readFile, writeFile } from 'node:fs/promises';
import { CoordinationV1Api } from '@kubernetes/client-node';
import test, { type ExecutionContext } from 'ava';
import pino from 'pino';
import { UnavailableError } from '../../../daemon/errors.ts';
import { holdLease } from '../../../daemon/runtime/kubernetes/lease.ts';
import { podManifest } from '../../../daemon/runtime/kubernetes/manifest.ts';
import { EMPTY_TEMPLATE } from '../../../daemon/runtime/kubernetes/pod-template.ts';
import { newSessionId } from '../../../daemon/session.ts';
import { ALWAYS, startFaultProxy } from '../../support/fault-proxy.ts';
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

const NAME = 'spawner-daemon';
const LEASES = { path: /\/leases/ };

function contend(namespace: string, identity: string, api = leases) {
  const told = { waiting: '', lost: '', warnings: 0 };
  const clock = { ms: 0 };
  const warned = {
    write(line: string) {
      if (JSON.parse(line).level === 40) told.warnings += 1;
    },
  };
  const held = holdLease({
    leases: api,
    namespace,
    identity,
    lock: async () => true,
    now: () => performance.now() + clock.ms,
    waiting: (reason) => {
      told.waiting = reason;
    },
    lost: (holder) => {
      told.lost = holder;
    },
    log: pino({ level: 'warn' }, warned),
  });
  return { told, held, clock };
}

/** Somebody else writes himself into the Lease. */
async function usurp(namespace: string): Promise<void> {
  await until('a write between two of the holder', async () => {
    const present = await leases.readNamespacedLease({ name: NAME, namespace });
    const body = { ...present, spec: { ...present.spec, holderIdentity: 'usurper' } };
    return leases.replaceNamespacedLease({ name: NAME, namespace, body }).then(
      () => true,
      () => false,
    );
  });
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
    metadata: { name: NAME },
    spec: { holderIdentity: 'gone', leaseDurationSeconds: 1 },
  };
  await leases.createNamespacedLease({ namespace, body });
  const next = contend(namespace, 'next');
  const lease = await next.held;
  const present = await leases.readNamespacedLease({ name: NAME, namespace });
  t.is(present.spec?.holderIdentity, 'next');
  await usurp(namespace);
  await until('the holder to be told', () => next.told.lost === 'usurper');
  await lease.release();
  const kept = await leases.readNamespacedLease({ name: NAME, namespace });
  t.is(kept.spec?.holderIdentity, 'usurper', 'who has lost it does not release it');
});

test('who slept while another took over knows it before it acts', async (t) => {
  const namespace = await kube.namespace();
  const { held, told, clock } = contend(namespace, 'sleeper');
  const lease = await held;
  await lease.confirm();
  await usurp(namespace);
  clock.ms += 11_000;
  await t.throwsAsync(lease.confirm(), { instanceOf: UnavailableError });
  t.is(told.lost, 'usurper');
  await t.throwsAsync(lease.confirm(), { instanceOf: UnavailableError });
});

test('a Lease that can not be renewed is said once, and is not relied on', async (t) => {
  const namespace = await kube.namespace();
  const proxy = await startFaultProxy(kube, kube.adminToken);
  t.teardown(() => proxy.stop());
  const { held, told, clock } = contend(namespace, 'cut-off', proxy.config.makeApiClient(CoordinationV1Api));
  const lease = await held;
  for (const outage of [1, 2]) {
    const cut = proxy.plan(LEASES, 'cut', { times: ALWAYS });
    clock.ms += 11_000;
    for (const _ of [1, 2]) await t.throwsAsync(lease.confirm(), { instanceOf: UnavailableError });
    t.is(told.warnings, outage);
    cut.remove();
    await lease.confirm();
  }
  t.is(told.lost, '');
  await lease.release();
});

test('a Lease that somebody deletes is made again', async (t) => {
  const namespace = await kube.namespace();
  const { held, clock } = contend(namespace, 'first');
  const lease = await held;
  await leases.deleteNamespacedLease({ name: NAME, namespace });
  clock.ms += 11_000;
  await lease.confirm();
  const present = await leases.readNamespacedLease({ name: NAME, namespace });
  t.is(present.spec?.holderIdentity, 'first');
  await lease.release();
});

test('a daemon that was paused does nothing to the sessions of the next one', async (t) => {
  const world = await startApiWorld(t, kube);
  const { namespace, daemon, proxy } = world;
  daemon.process.kill('SIGSTOP');
  await until(
    'the Lease to be old',
    async () => {
      const { spec } = await leases.readNamespacedLease({ name: NAME, namespace });
      return Date.now() - Date.parse(String(spec?.renewTime)) > 11_000;
    },
    20,
  );
  await usurp(namespace);
  const spec = {
    id: newSessionId(),
    createdAt: Date.now(),
    env: {},
    labels: {},
    idempotency: null,
    tokenEpoch: null,
  };
  const publicUrl = { form: 'path', scheme: 'http', host: 'x' } as const;
  const settings = { image: 'my-app:1', port: 80, publicUrl, stopGraceMs: 1_000 };
  const manifest = { ...settings, namespace, sidecarImage: undefined, template: EMPTY_TEMPLATE };
  await kube.core.createNamespacedPod({ namespace, body: podManifest(spec, manifest) });
  daemon.process.kill('SIGCONT');
  await until('the daemon to end', () => daemon.process.exitCode !== null);
  t.regex(daemon.log(), /"another daemon has taken over"/);
  t.is(proxy.count({ method: 'DELETE' }), 0);
  t.is((await world.pod(spec.id))?.metadata?.deletionTimestamp, undefined);
});

test('a daemon that is told to end does not wait for an API server that says nothing', async (t) => {
  const { daemon, proxy } = await startApiWorld(t, kube);
  const stalled = proxy.plan(LEASES, 'stall', { times: ALWAYS });
  await until('a renewal to hang', () => stalled.hits > 0);
  daemon.process.kill('SIGTERM');
  // Long before a call times out.
  await until('the daemon to end', () => daemon.process.exitCode !== null, 4);
  t.is(daemon.process.exitCode, 0);
});

async function secondDaemon(t: ExecutionContext, kubeconfig: (text: string) => string): Promise<void> {
  const world = await startApiWorld(t, kube);
  const first = world.daemon;
  t.teardown(() => first.end('SIGKILL'));
  const file = world.proxy.kubeconfig;
  await writeFile(file, kubeconfig(await readFile(file, 'utf8')));
  const second = await world.startDaemon();
  await until('the second to end', () => second.process.exitCode !== null);
  t.is(second.process.exitCode, 2);
  t.regex(second.log(), /^error: another daemon of this machine works in namespace test-.*\n$/m);
}

test('a second daemon on the same machine is refused in one line', (t) => secondDaemon(t, (text) => text));

test('it is refused also if it spells the address of the cluster in another way', (t) =>
  secondDaemon(t, (text) => text.replace('127.0.0.1', 'localhost')));

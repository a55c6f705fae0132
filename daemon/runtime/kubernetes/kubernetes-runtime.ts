/**
 * Runs each session as a Pod with a headless Service that it owns. The cluster's objects are the only memory: a daemon
 * that starts anew finds its sessions by their label.
 */
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { ConfigError } from '../../errors.ts';
import { every } from '../../every.ts';
import { newSessionId, type SessionSpec } from '../../session.ts';
import type { OwnedSession, Runtime } from '../runtime.ts';
import { describeApiError, isStatus, isUncertain } from './api-error.ts';
import type { Connection } from './connection.ts';
import { createRefusal } from './create-refusal.ts';
import type { HeldLease } from './lease.ts';
import { type PodSettings, podManifest, serviceManifest } from './manifest.ts';
import { APP_CONTAINER, objectName, SESSION_LABEL } from './names.ts';
import { observePod } from './observe-pod.ts';
import { ownedSession } from './owned-session.ts';
import { findTemplateProblem } from './template-check.ts';
import { createWatched } from './watched.ts';

const RETRY_MS = 1_000;
// A Pod that is on its way tells something more often than this; if not, the watch may have gone silent.
const SILENT_MS = 5_000;
const SHOWN_LINES = 20;
const SHOWN_BYTES = 8 * 1024;

export interface KubernetesRuntimeParts {
  connection: Connection;
  pods: PodSettings;
  unschedulableMs: number;
  /** Resolves when no other daemon works in the namespace. */
  takeLease: () => Promise<HeldLease>;
  /** Told why the start takes longer: the API server is away, or refuses us. */
  waiting: (reason: string) => void;
  log: Logger;
}

export function createKubernetesRuntime(parts: KubernetesRuntimeParts): Runtime {
  const { connection, unschedulableMs, log } = parts;
  const { api, kubeConfig } = connection;
  const { namespace, port } = parts.pods;
  const ours = { namespace, labelSelector: SESSION_LABEL };
  const heardAt = new Map<string, number>();
  const events = new EventEmitter().setMaxListeners(0);
  const stops: (() => void)[] = [];
  let changed: (id: string) => void = () => {};
  let lease: HeldLease | undefined;

  const pods = createWatched<V1Pod>({
    list: () => api.listNamespacedPod(ours),
    path: `/api/v1/namespaces/${namespace}/pods`,
    kubeConfig,
    labelSelector: SESSION_LABEL,
    changed: heard,
    log,
  });

  function heard(name: string): void {
    const pod = pods.get(name);
    const isNew = !heardAt.has(name);
    if (pod) heardAt.set(name, performance.now());
    else heardAt.delete(name);
    events.emit(name);
    if (!pod || ownedSession(pod)) changed(name.slice(objectName('').length));
    else if (isNew) log.warn({ pod: name, namespace }, 'foreign Pod left alone');
  }

  /** The session's Pod, and never a stranger of its name. */
  function ownPod(id: string): V1Pod | undefined {
    const pod = pods.get(objectName(id));
    return pod && ownedSession(pod) ? pod : undefined;
  }

  async function start(): Promise<void> {
    await untilAnswered(checkTemplate);
    lease = await parts.takeLease();
    await pods.start(parts.waiting);
    await untilAnswered(makeMissingServices);
    stops.push(
      every(SILENT_MS, askAboutSilent, (error) => {
        log.debug({ reason: describeApiError(error) }, 'silent Pods could not be asked about');
      }),
    );
  }

  async function untilAnswered(work: () => Promise<void>): Promise<void> {
    for (let told = ''; ; await sleep(RETRY_MS)) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof ConfigError) throw error;
        const reason = describeApiError(error);
        parts.waiting(reason);
        if (reason !== told) log.warn({ reason }, 'the cluster can not be used yet');
        told = reason;
      }
    }
  }

  async function checkTemplate(): Promise<void> {
    const sample = { id: newSessionId(), createdAt: 0, env: {}, labels: {}, idempotency: null };
    try {
      const problem = await findTemplateProblem(api, podManifest(sample, parts.pods));
      if (problem !== undefined)
        throw new ConfigError(`the cluster takes no Pods like this (--pod-template): ${problem}`);
    } catch (error) {
      if (isStatus(error, 404)) throw new ConfigError(`--namespace ${namespace}: ${describeApiError(error)}`);
      // A full quota says nothing of the template.
      if (!describeApiError(error).includes('exceeded quota')) throw error;
    }
  }

  // A daemon may have been killed between the two.
  async function makeMissingServices(): Promise<void> {
    const services = await api.listNamespacedService(ours);
    const names = new Set(services.items.map(({ metadata }) => metadata?.name));
    const lone = pods.all().filter((pod) => !names.has(pod.metadata?.name) && isOurs(pod));
    await Promise.all(lone.map(makeService));
  }

  function isOurs(pod: V1Pod): boolean {
    return ownedSession(pod)?.deleted === false;
  }

  async function makeService(pod: V1Pod): Promise<void> {
    const body = serviceManifest(pod, pod.metadata?.labels?.[SESSION_LABEL] as string, port);
    await api.createNamespacedService({ namespace, body }).catch((error) => {
      if (!isStatus(error, 409)) throw error;
    });
  }

  async function makePod(spec: SessionSpec): Promise<V1Pod> {
    const body = podManifest(spec, parts.pods);
    try {
      return await api.createNamespacedPod({ namespace, body });
    } catch (error) {
      // Whoever lost the answer of a create finds its Pod.
      const mayExist = isStatus(error, 409) || (isUncertain(error) && pods.isFresh());
      const found = mayExist ? await read(objectName(spec.id)).catch(() => undefined) : undefined;
      if (found && ownedSession(found)?.createdAt === spec.createdAt) return found;
      throw error;
    }
  }

  async function create(spec: SessionSpec): Promise<void> {
    try {
      const pod = await makePod(spec);
      pods.put(pod);
      await makeService(pod);
    } catch (error) {
      throw createRefusal(error);
    }
  }

  async function read(name: string): Promise<V1Pod | undefined> {
    try {
      return await api.readNamespacedPod({ name, namespace });
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  async function remove(id: string): Promise<void> {
    const name = objectName(id);
    const pod = pods.get(name) ?? (await read(name));
    if (!pod || !ownedSession(pod)) return;
    const uid = pod.metadata?.uid as string;
    try {
      await api.deleteNamespacedPod({ name, namespace, body: { preconditions: { uid } } });
    } catch (error) {
      // Not there any more, or another one of its name.
      if (!isStatus(error, 404) && !isStatus(error, 409)) throw error;
      pods.drop(name, uid);
    }
    await isGone(name, uid);
  }

  async function isGone(name: string, uid: string): Promise<void> {
    while (pods.get(name)?.metadata?.uid === uid) {
      const told = Promise.withResolvers<void>();
      events.once(name, told.resolve);
      await Promise.race([told.promise, sleep(SILENT_MS, undefined, { ref: false })]);
      events.off(name, told.resolve);
      await askIfSilent(name).catch(() => {});
    }
  }

  /** Readiness does not hang on the watch alone. */
  async function askAboutSilent(): Promise<void> {
    const waiting = pods.all().filter((pod) => observePod(pod, port, unschedulableMs).phase === 'starting');
    await Promise.all(waiting.map((pod) => askIfSilent(pod.metadata?.name as string)));
  }

  async function askIfSilent(name: string): Promise<void> {
    if (performance.now() - (heardAt.get(name) ?? 0) < SILENT_MS) return;
    const known = pods.get(name);
    const found = await read(name);
    if (found) pods.put(found);
    else if (known) pods.drop(name, known.metadata?.uid);
  }

  return {
    keepsAddress: false,
    start,
    async list() {
      return pods
        .all()
        .map(ownedSession)
        .filter((owned): owned is OwnedSession => owned !== undefined);
    },
    create,
    async observe(id) {
      return observePod(ownPod(id), port, unschedulableMs);
    },
    async output(id) {
      const name = objectName(id);
      // After a crash the new container has said nothing yet.
      const app = ownPod(id)?.status?.containerStatuses?.find((one) => one.name === APP_CONTAINER);
      const previous = app?.state?.waiting !== undefined && app.lastState?.terminated !== undefined;
      const limits = { tailLines: SHOWN_LINES, limitBytes: SHOWN_BYTES, previous };
      const text = await api
        .readNamespacedPodLog({ name, namespace, container: APP_CONTAINER, ...limits })
        .catch(() => '');
      return (text ?? '')
        .trimEnd()
        .split('\n')
        .filter((line, _, all) => all.length > 1 || line !== '');
    },
    delete: remove,
    async release() {}, // a Pod's address goes with the Pod
    watch(callback) {
      changed = callback;
    },
    async close() {
      for (const stop of stops) stop();
      pods.close();
      await lease?.release().catch(() => {}); // then it runs out
    },
  };
}

/**
 * Runs each session as a Pod with a headless Service that it owns. The cluster's objects are the only memory: a daemon
 * that starts anew finds its sessions by their label.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { ConfigError, UnavailableError } from '../../errors.ts';
import { newSessionId, type SessionSpec } from '../../session.ts';
import type { OwnedSession, Runtime } from '../runtime.ts';
import { describeApiError, isStatus, isUncertain } from './api-error.ts';
import type { Connection } from './connection.ts';
import { createRefusal } from './create-refusal.ts';
import type { HeldLease } from './lease.ts';
import { type PodSettings, podManifest, serviceManifest } from './manifest.ts';
import { objectName, SESSION_LABEL } from './names.ts';
import { observePod } from './observe-pod.ts';
import { ownedSession } from './owned-session.ts';
import { lastLines } from './pod-log.ts';
import { createSessionPods } from './session-pods.ts';
import { findTemplateProblem } from './template-check.ts';

const RETRY_MS = 1_000;
// More at a time would only wait for each other, and time out, in an API server on a busy machine.
const CREATES_AT_A_TIME = 50;

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
  const { api } = connection;
  const { namespace, port } = parts.pods;
  const creates = pLimit(CREATES_AT_A_TIME);
  let changed: (id: string) => void = () => {};
  let lease: HeldLease | undefined;

  const observe = (pod: V1Pod | undefined) => observePod(pod, port, unschedulableMs);
  const pods = createSessionPods({
    connection,
    namespace,
    isOnItsWay: (pod) => observe(pod).phase === 'starting',
    changed: (id) => changed(id),
    log,
  });

  async function start(): Promise<void> {
    await untilAnswered(checkTemplate);
    lease = await parts.takeLease();
    await pods.start(parts.waiting);
    await untilAnswered(makeMissingServices);
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
    const services = await api.listNamespacedService({ namespace, labelSelector: SESSION_LABEL });
    const names = new Set(services.items.map(({ metadata }) => metadata?.name));
    const lone = pods.all().filter((pod) => !names.has(pod.metadata?.name) && !ownedSession(pod)?.deleted);
    await Promise.all(lone.map((pod) => creates(() => makeService(pod))));
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
      const found = mayExist ? await pods.read(spec.id).catch(() => undefined) : undefined;
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

  async function remove(id: string): Promise<void> {
    const pod = pods.get(id) ?? (await pods.read(id));
    if (!pod || !ownedSession(pod)) return;
    const uid = pod.metadata?.uid as string;
    try {
      await api.deleteNamespacedPod({ name: objectName(id), namespace, body: { preconditions: { uid } } });
    } catch (error) {
      // Not there any more, or another one of its name.
      if (isStatus(error, 404) || isStatus(error, 409)) return;
      throw error;
    }
    await pods.whenGone(pod);
  }

  return {
    keepsAddress: false,
    start,
    async list() {
      return pods.all().map((pod) => ownedSession(pod) as OwnedSession);
    },
    create: (spec) => creates(() => create(spec)),
    observe: async (id) => observe(pods.get(id)),
    refresh: pods.refresh,
    async output(id) {
      const pod = pods.get(id);
      return pod ? lastLines(api, pod) : [];
    },
    async delete(id) {
      await remove(id).catch((error) => {
        throw new UnavailableError(`the Pod can't be deleted now: ${describeApiError(error)}`);
      });
    },
    async release() {}, // a Pod's address goes with the Pod
    watch(callback) {
      changed = callback;
    },
    async close() {
      pods.close();
      await lease?.release().catch(() => {}); // then it runs out
    },
  };
}

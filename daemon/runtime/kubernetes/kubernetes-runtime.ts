/**
 * Runs each session as a Pod with a headless Service that it owns. The cluster's objects are the only memory: a daemon
 * that starts anew finds its sessions by their label.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PatchStrategy, setHeaderOptions, type V1Pod } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { ApiError, ConfigError, UnavailableError } from '../../errors.ts';
import { describeApiError, isStatus, isUncertain } from '../../kubernetes/api-error.ts';
import type { Connection } from '../../kubernetes/connection.ts';
import { newSessionId, type SessionSpec } from '../../session.ts';
import type { Observation, OwnedSession, Runtime } from '../runtime.ts';
import { createRefusal } from './create-refusal.ts';
import type { HeldLease } from './lease.ts';
import { type PodSettings, podManifest } from './manifest.ts';
import { objectName, SESSION_ANNOTATION } from './names.ts';
import { observePod } from './observe-pod.ts';
import { ownedSession, sessionAnnotation } from './owned-session.ts';
import { lastLines } from './pod-log.ts';
import { createSessionPods } from './session-pods.ts';
import { createSessionServices } from './session-services.ts';
import { findTemplateProblem } from './template-check.ts';

const RETRY_MS = 1_000;
// Whoever waits for the next daemon waits less for the Lease to run out than for an API server that says nothing.
const RELEASE_MS = 1_500;
const MERGE = setHeaderOptions('content-type', PatchStrategy.MergePatch);
const UNMARKED: Observation = {
  phase: 'exited',
  failure: {
    code: 'app_lost',
    message: 'Somebody changed the Pod: it is not marked as the session any more.',
  },
};

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
  const { namespace } = parts.pods;
  const services = createSessionServices(api, namespace, log);
  let changed: (id: string) => void = () => {};
  let lease: HeldLease | undefined;
  let stopServices = () => {};

  const observe = (pod: V1Pod | undefined) =>
    pod && !ownedSession(pod) ? UNMARKED : observePod(pod, unschedulableMs);
  const pods = createSessionPods({
    connection,
    namespace,
    isOnItsWay: (pod) => {
      const seen = observe(pod);
      return seen.phase === 'starting' || (seen.phase === 'listening' && seen.doubt !== undefined);
    },
    changed: (id) => changed(id),
    log,
  });

  async function start(): Promise<void> {
    await untilAnswered(checkTemplate);
    lease = await parts.takeLease();
    await pods.start(parts.waiting);
    stopServices = services.keep(pods.all);
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
    const sample = {
      id: newSessionId(),
      createdAt: 0,
      env: {},
      labels: {},
      idempotency: null,
      tokenEpoch: null,
    };
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

  async function makePod(spec: SessionSpec): Promise<V1Pod> {
    const body = podManifest(spec, parts.pods);
    try {
      return await api.createNamespacedPod({ namespace, body });
    } catch (error) {
      // Whoever lost the answer of a create finds its Pod.
      const canAsk = pods.isFresh() && !connection.isStalled();
      const mayExist = isStatus(error, 409) || (isUncertain(error) && canAsk);
      const found = mayExist ? await pods.read(spec.id).catch(() => undefined) : undefined;
      if (found && ownedSession(found)?.createdAt === spec.createdAt) return found;
      throw error;
    }
  }

  async function create(spec: SessionSpec): Promise<void> {
    try {
      // Who waits for /init need not find out anew what other calls have just found out.
      if (connection.isStalled()) throw new UnavailableError('the API server does not answer in time');
      await lease?.confirm();
      const pod = await makePod(spec);
      pods.put(pod);
      await services.make(pod);
    } catch (error) {
      throw createRefusal(error);
    }
  }

  async function setTokenEpoch(id: string, tokenEpoch: number): Promise<void> {
    const pod = pods.get(id);
    const owned = pod && ownedSession(pod);
    if (!owned) throw goneAlready();
    const annotations = { [SESSION_ANNOTATION]: sessionAnnotation({ ...owned, tokenEpoch }) };
    // With its uid, so that another Pod of this name is a conflict.
    const body = { metadata: { uid: pod.metadata?.uid, annotations } };
    try {
      await lease?.confirm();
      pods.put(await api.patchNamespacedPod({ name: objectName(id), namespace, body }, MERGE));
    } catch (error) {
      throw isStatus(error, 404) || isStatus(error, 409) ? goneAlready() : createRefusal(error);
    }
  }

  async function remove(id: string): Promise<void> {
    const pod = pods.get(id) ?? (await pods.read(id));
    if (!pod) return;
    await lease?.confirm();
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
    create,
    setTokenEpoch,
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
      stopServices();
      pods.close();
      // What is not released runs out.
      await Promise.race([lease?.release().catch(() => {}), sleep(RELEASE_MS)]);
    },
  };
}

function goneAlready(): ApiError {
  return new ApiError(409, 'session_ended', "The session's Pod is not there any more.");
}

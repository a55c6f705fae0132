import {
  type CoreV1Api,
  PatchStrategy,
  setHeaderOptions,
  type V1ContainerState,
  type V1ContainerStatus,
  type V1Pod,
  type V1PodCondition,
  type V1PodStatus,
} from '@kubernetes/client-node';

const NODE = 'played-node';
const image = 'played';

/** Says of Pods what a kubelet would, where none runs. Every call replaces what was said of that Pod before. */
export interface PlayedKubelet {
  /** Gives the Pod to a node: only then does its deletion wait for `gone`, as a real one does. */
  assign(name: string): Promise<void>;
  /** Its containers run. Not Ready means that a probe fails. */
  running(name: string, podIP: string, ready?: boolean): Promise<void>;
  /** Its node is not heard of any more: the word of a controller, after which the kubelet's last ones stand. */
  unheard(name: string): Promise<void>;
  /** Its containers wait, such as for `ImagePullBackOff` or `CrashLoopBackOff`. */
  waiting(name: string, reason: string, message: string, restarts?: number): Promise<void>;
  /** The container `app` ended, such as with `OOMKilled` and 137; the others run on. */
  terminated(name: string, reason: string, exitCode: number): Promise<void>;
  /** The whole Pod failed, such as with `Evicted`. */
  failed(name: string, reason: string, message: string): Promise<void>;
  /** No node takes it; this is the scheduler's word. */
  unschedulable(name: string, message: string): Promise<void>;
  /** The Pod's processes have ended: the object goes away. */
  gone(name: string): Promise<void>;
}

export function playKubelet(core: CoreV1Api, namespace: string): PlayedKubelet {
  const say = async (name: string, status: (pod: V1Pod) => V1PodStatus): Promise<void> => {
    const pod = await core.readNamespacedPod({ name, namespace });
    const options = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    await core.patchNamespacedPodStatus({ name, namespace, body: { status: status(pod) } }, options);
  };

  return {
    async assign(name) {
      const target = { apiVersion: 'v1', kind: 'Node', name: NODE };
      await core.createNamespacedPodBinding({ name, namespace, body: { metadata: { name }, target } });
    },
    running: (name, podIP, ready = true) =>
      say(name, (pod) => ({
        ...{ phase: 'Running', podIP, podIPs: [{ ip: podIP }], hostIP: '192.0.2.1' },
        conditions: conditions(
          { PodScheduled: true, Initialized: true, ContainersReady: ready, Ready: ready },
          'ContainersNotReady',
        ),
        containerStatuses: containers(pod, () => ({ running: { startedAt: new Date() } }), ready),
      })),
    unheard: (name) =>
      say(name, ({ status }) => ({
        conditions: (status?.conditions ?? []).map((one) =>
          one.type === 'Ready' ? { ...one, status: 'False', lastTransitionTime: new Date() } : one,
        ),
      })),
    waiting: (name, reason, message, restarts = 0) =>
      say(name, (pod) => ({
        phase: 'Pending',
        conditions: conditions({ PodScheduled: true, Ready: false }, 'ContainersNotReady'),
        containerStatuses: containers(pod, () => ({ waiting: { reason, message } }), false, restarts),
      })),
    terminated: (name, reason, exitCode) =>
      say(name, (pod) => ({
        phase: 'Running',
        conditions: conditions({ PodScheduled: true, Ready: false }, 'ContainersNotReady'),
        containerStatuses: containers(
          pod,
          (container) =>
            container === 'app'
              ? { terminated: { reason, exitCode, startedAt: new Date(), finishedAt: new Date() } }
              : { running: { startedAt: new Date() } },
          false,
        ),
      })),
    failed: (name, reason, message) => say(name, () => ({ phase: 'Failed', reason, message })),
    unschedulable: (name, message) =>
      say(name, () => ({
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
      })),
    async gone(name) {
      // Of a Pod that no node has, the API server itself does this: it may be first.
      await core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 }).catch((error) => {
        if (error?.code !== 404) throw error;
      });
    },
  };
}

function conditions(known: Record<string, boolean>, reason?: string): V1PodCondition[] {
  return Object.entries(known).map(([type, holds]) => ({
    type,
    status: holds ? 'True' : 'False',
    lastTransitionTime: new Date(),
    ...(reason && !holds ? { reason } : {}),
  }));
}

function containers(
  pod: V1Pod,
  stateOf: (container: string) => V1ContainerState,
  ready: boolean,
  restartCount = 0,
): V1ContainerStatus[] {
  return (pod.spec?.containers ?? []).map(({ name }) => ({
    ...{ name, image, imageID: image, ready, started: ready, restartCount },
    state: stateOf(name),
  }));
}

/** What a Pod's own words mean for its session. Pure. */
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import type { Failure } from '../../session.ts';
import type { Observation } from '../runtime.ts';
import { APP_CONTAINER, SIDECAR_CONTAINER } from './names.ts';
import { podPlace } from './pod-place.ts';

type Cause = Omit<Failure, 'output'>;

// Of what a container waits for, that which does not pass by waiting. https://github.com/kubernetes/kubernetes
// pkg/kubelet/images/types.go and pkg/kubelet/kuberuntime/kuberuntime_container.go. An ErrImagePull may be a moment's
// trouble of the registry; with ImagePullBackOff the kubelet has tried again.
const IMAGE_REASONS = ['ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'ImageInspectError'];
// These the kubelet tries again: a loaded node runs into them in passing.
const REFUSED_REASONS = [
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'PreCreateHookError',
];
const REFUSED_PATIENCE_MS = 20_000;
// Words of the kubelet (pkg/kubelet/kuberuntime/security_context.go, pkg/kubelet/kubelet_pods.go) and of runc.
const NEVER_PASSES = [
  /runAsNonRoot/,
  /(secret|configmap) ".*" not found/,
  /couldn't find key/,
  /exec: ".*": (executable file not found|stat .*: no such file|permission denied)/,
];

const NODE_SILENT = 'the cluster has not heard of the node of the Pod';

/** @param unschedulableMs how long the scheduler may look for a node */
export function observePod(pod: V1Pod | undefined, unschedulableMs: number): Observation {
  if (!pod) return { phase: 'missing' };
  if (pod.metadata?.deletionTimestamp) {
    return { phase: 'exited', failure: { code: 'app_lost', message: 'The Pod was deleted.' } };
  }
  const failure = failureOf(pod);
  if (failure) return { phase: 'exited', failure };
  const doubted = isDoubted(pod);
  if (!doubted && !isReady(pod)) return startingPod(pod, unschedulableMs);
  const place = podPlace(pod);
  if (!place) return { phase: 'starting', lacks: missingPlace(pod) };
  return { phase: 'listening', ...place, ...(doubted && { doubt: NODE_SILENT }) };
}

function missingPlace({ status }: V1Pod): string {
  return status?.podIP ? 'the Pod does not say its PORT' : 'the Pod has no address';
}

function startingPod(pod: V1Pod, unschedulableMs: number): Observation {
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason === 'Unschedulable') {
    const message = `No node takes the Pod: ${oneLine(scheduled.message)}.`;
    return {
      phase: 'starting',
      lacks: 'no node took the Pod',
      hurdle: { failure: { code: 'unschedulable', message }, patienceMs: unschedulableMs },
    };
  }
  const lacks = `the Pod is not Ready: ${waitsFor(pod)}`;
  const refusal = containersOf(pod)
    .map(refusalOf)
    .find((one) => one !== undefined);
  if (!refusal) return { phase: 'starting', lacks };
  return { phase: 'starting', lacks, hurdle: { failure: refusal, patienceMs: REFUSED_PATIENCE_MS } };
}

function containersOf({ status }: V1Pod): V1ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

function isReady(pod: V1Pod): boolean {
  return condition(pod, 'Ready')?.status === 'True';
}

/**
 * Whether it is not Ready only by the word of a controller that has not heard of its node, dead or merely cut off: as
 * after every minute that the API was away. That leaves all as the kubelet said it last, and says no reason, while the
 * kubelet itself says one. https://github.com/kubernetes/kubernetes pkg/controller/util/node/controller_utils.go
 * (MarkPodsNotReady) and pkg/kubelet/status/generate.go
 */
function isDoubted(pod: V1Pod): boolean {
  const ready = condition(pod, 'Ready');
  return ready?.status === 'False' && !ready.reason && condition(pod, 'ContainersReady')?.status === 'True';
}

function condition({ status }: V1Pod, type: string) {
  return status?.conditions?.find((one) => one.type === type);
}

function failureOf(pod: V1Pod): Cause | undefined {
  const { status } = pod;
  if (status?.phase === 'Failed' && status.reason) return ended(status.reason, status.message);
  const restarts = pod.spec?.restartPolicy !== 'Never';
  const inits = (status?.initContainerStatuses ?? []).map((one) => initFailure(one, restarts));
  const others = (status?.containerStatuses ?? []).map((one) => containerFailure(one, restarts));
  const [first] = [...inits, ...others].filter((failure) => failure !== undefined);
  if (first) return first;
  if (status?.phase !== 'Failed' && status?.phase !== 'Succeeded') return undefined;
  return { code: 'app_exited', message: `The Pod has ended: ${status.phase}.` };
}

/** A Pod as a whole, by the kubelet or a controller: Evicted, Preempting, DeadlineExceeded, NodeLost, Shutdown, … */
function ended(reason: string, message: string | undefined): Cause {
  const said = message ? `: ${oneLine(message)}` : '';
  return { code: 'pod_evicted', message: `The Pod was ended by its node (${reason})${said}.` };
}

function initFailure(status: V1ContainerStatus, restarts: boolean): Cause | undefined {
  const waiting = waitingFailure(status);
  if (waiting) return waiting;
  const exit = status.state?.terminated;
  if (restarts || !exit || exit.exitCode === 0) return undefined;
  return {
    code: 'app_exited',
    message: `The init container ${status.name} exited with code ${exit.exitCode}.`,
    exitCode: exit.exitCode,
  };
}

function containerFailure(status: V1ContainerStatus, restarts: boolean): Cause | undefined {
  const waiting = waitingFailure(status);
  if (waiting) return waiting;
  const exit = status.state?.terminated;
  if (!exit || restarts) return undefined;
  if (status.name === SIDECAR_CONTAINER) {
    return {
      code: 'sidecar_exited',
      message: `The status sidecar ended: ${exit.reason ?? `code ${exit.exitCode}`}.`,
    };
  }
  if (status.name !== APP_CONTAINER) return undefined;
  return exitOf(status, exit) ?? describeExit(exit.exitCode, exit.signal, exit.reason);
}

function waitingFailure(status: V1ContainerStatus): Cause | undefined {
  const { reason, message } = status.state?.waiting ?? {};
  if (reason === undefined) return undefined;
  const said = message ? `: ${oneLine(message)}` : '';
  if (IMAGE_REASONS.includes(reason)) {
    const text = `The image ${status.image} can't be pulled (${reason})${said}.`;
    return { code: 'image_pull_failed', message: text };
  }
  if (message && NEVER_PASSES.some((words) => words.test(message))) return refusalOf(status);
  if (reason !== 'CrashLoopBackOff') return undefined;
  const last = status.lastState?.terminated;
  const outOfMemory = last && exitOf(status, last);
  return (
    outOfMemory ?? {
      code: 'app_crash_loop',
      message: `The container ${status.name} crashes again and again, ${status.restartCount} times so far.`,
      ...(last && { exitCode: last.exitCode }),
    }
  );
}

function refusalOf({ name, state }: V1ContainerStatus): Cause | undefined {
  const { reason = '', message } = state?.waiting ?? {};
  if (!REFUSED_REASONS.includes(reason)) return undefined;
  const said = message ? `: ${oneLine(message)}` : '';
  return { code: 'container_refused', message: `The container ${name} can't be started (${reason})${said}.` };
}

/** Out of memory, or undefined for any other end. */
function exitOf(status: V1ContainerStatus, exit: { reason?: string; exitCode: number }): Cause | undefined {
  if (exit.reason !== 'OOMKilled') return undefined;
  const message = `The container ${status.name} used more memory than its limit allows and was killed.`;
  return { code: 'app_out_of_memory', message, exitCode: exit.exitCode };
}

function describeExit(exitCode: number, signal: number | undefined, reason: string | undefined): Cause {
  const why = reason === undefined || ['Error', 'Completed'].includes(reason) ? '' : ` (${reason})`;
  const how = signal ? `was ended by signal ${signal}` : `exited with code ${exitCode}`;
  return { code: 'app_exited', message: `The app ${how}${why}.`, exitCode };
}

function waitsFor(pod: V1Pod): string {
  const statuses = containersOf(pod);
  const waiting = statuses.find(({ state }) => state?.waiting);
  if (waiting) {
    const { reason, message } = waiting.state?.waiting ?? {};
    return `container ${waiting.name} waits (${reason ?? 'unknown'})${message ? `: ${oneLine(message)}` : ''}`;
  }
  const unready = statuses.find(({ ready, state }) => !ready && state?.running);
  if (unready) return `the readiness probe of container ${unready.name} has not succeeded`;
  return pod.status?.phase ?? 'nothing is known of it yet';
}

function oneLine(text: string | undefined): string {
  return (text ?? 'no reason given').replace(/\s+/g, ' ').replace(/\.$/, '').trim();
}

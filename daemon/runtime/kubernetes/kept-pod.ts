/** Of a session's Pod, what is read of it here: of thousands of Pods, the rest would be most of the daemon's memory. Pure. */
import type { V1Container, V1ContainerStatus, V1Pod, V1PodSpec, V1PodStatus } from '@kubernetes/client-node';
import { APP_CONTAINER, SESSION_ANNOTATION, SESSION_LABEL } from './names.ts';

const METADATA = ['name', 'namespace', 'uid', 'resourceVersion', 'deletionTimestamp'] as const;
const CONDITIONS = ['Ready', 'ContainersReady', 'PodScheduled'];

/** A Pod of its own, of which `observePod`, `podPlace`, `ownedSession` and `lastLines` make the same. */
export function keptPod({ metadata = {}, spec, status }: V1Pod): V1Pod {
  return {
    metadata: {
      ...pick(metadata, METADATA),
      labels: pick(metadata.labels ?? {}, [SESSION_LABEL]),
      annotations: pick(metadata.annotations ?? {}, [SESSION_ANNOTATION]),
    },
    ...(spec && { spec: keptSpec(spec) }),
    ...(status && { status: keptStatus(status) }),
  };
}

function keptSpec(spec: V1PodSpec): V1PodSpec {
  return { ...pick(spec, ['restartPolicy']), containers: spec.containers.map(keptContainer) };
}

/** Of the app, where it listens. */
function keptContainer({ name, env = [] }: V1Container): V1Container {
  if (name !== APP_CONTAINER) return { name };
  const port = env.find((one) => one.name === 'PORT');
  return port ? { name, env: [pick(port, ['name', 'value'])] } : { name };
}

function keptStatus(status: V1PodStatus): V1PodStatus {
  const { conditions, initContainerStatuses: inits, containerStatuses: containers } = status;
  return {
    ...pick(status, ['phase', 'podIP', 'reason', 'message']),
    ...(conditions && {
      conditions: conditions
        .filter(({ type }) => CONDITIONS.includes(type))
        .map((condition) => pick(condition, ['type', 'status', 'reason', 'message'])),
    }),
    ...(inits && { initContainerStatuses: inits.map(keptContainerStatus) }),
    ...(containers && { containerStatuses: containers.map(keptContainerStatus) }),
  };
}

function keptContainerStatus(status: V1ContainerStatus): V1ContainerStatus {
  const { state, lastState } = status;
  return {
    ...pick(status, ['name', 'image', 'ready', 'restartCount']),
    imageID: '',
    ...(state && {
      state: {
        ...pick(state, ['waiting']),
        ...(state.terminated && { terminated: pick(state.terminated, ['reason', 'exitCode', 'signal']) }),
        ...(state.running && { running: {} }),
      },
    }),
    ...(lastState?.terminated && {
      lastState: { terminated: pick(lastState.terminated, ['reason', 'exitCode']) },
    }),
  };
}

/** These fields of it, as far as it has them: the client's objects have all that could be there. */
function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]),
  ) as Pick<T, K>;
}

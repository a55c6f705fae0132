import type { V1ContainerState, V1ContainerStatus, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import test from 'ava';
import { observePod } from '../../../../daemon/runtime/kubernetes/observe-pod.ts';

const time = new Date(0);
const conditions = (ready: 'True' | 'False') => [{ type: 'Ready', status: ready }];

function pod(status: V1PodStatus, restartPolicy = 'Never'): V1Pod {
  return { metadata: { name: 'session-x' }, spec: { restartPolicy, containers: [] }, status };
}

function container(state: V1ContainerState, more: Partial<V1ContainerStatus> = {}): V1ContainerStatus {
  return { name: 'app', image: 'my-app:1', imageID: '', ready: false, restartCount: 0, state, ...more };
}

const running = container({ running: { startedAt: time } }, { ready: true });
const look = (of: V1Pod | undefined) => observePod(of, 8080, 15_000);
const codeOf = (of: V1Pod) => {
  const seen = look(of);
  return seen.phase === 'exited' ? seen.failure.code : seen.phase;
};

test('only a Pod that is Ready and has an address is listening', (t) => {
  const ready = {
    phase: 'Running',
    podIP: '10.0.0.7',
    conditions: conditions('True'),
    containerStatuses: [running],
  };
  t.deepEqual(look(pod(ready)), { phase: 'listening', backend: '10.0.0.7:8080' });
  t.deepEqual(look(pod({ ...ready, podIP: 'FD00::7' })), { phase: 'listening', backend: '[fd00::7]:8080' });
  t.is(look(pod({ ...ready, conditions: conditions('False') })).phase, 'starting');
  const { podIP: _, ...homeless } = ready;
  t.is(look(pod(homeless)).phase, 'starting');
  t.is(look(undefined).phase, 'missing');
  t.is(codeOf({ ...pod(ready), metadata: { deletionTimestamp: time } }), 'app_lost');
});

test('what keeps it from starting is told', (t) => {
  const waiting = container({ waiting: { reason: 'ErrImagePull', message: 'try\nagain.' } });
  t.deepEqual(look(pod({ containerStatuses: [waiting] })), {
    phase: 'starting',
    lacks: 'the Pod is not Ready: container app waits (ErrImagePull): try again',
  });
  const unready = { ...running, ready: false };
  t.like(look(pod({ containerStatuses: [unready] })), {
    lacks: 'the Pod is not Ready: the readiness probe of container app has not succeeded',
  });
  const unschedulable = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'Unschedulable',
    message: '0/1 nodes.',
  };
  t.deepEqual(look(pod({ phase: 'Pending', conditions: [unschedulable] })), {
    phase: 'starting',
    lacks: 'no node took the Pod',
    hurdle: {
      failure: { code: 'unschedulable', message: 'No node takes the Pod: 0/1 nodes.' },
      patienceMs: 15_000,
    },
  });
});

test('every way to fail has its code', (t) => {
  const waits = (reason: string) => pod({ containerStatuses: [container({ waiting: { reason } })] });
  const exits = (reason: string, exitCode: number, restartPolicy?: string) =>
    pod({ containerStatuses: [container({ terminated: { reason, exitCode } })] }, restartPolicy);
  t.is(codeOf(waits('ImagePullBackOff')), 'image_pull_failed');
  t.is(codeOf(waits('InvalidImageName')), 'image_pull_failed');
  t.is(codeOf(waits('CreateContainerConfigError')), 'container_refused');
  t.is(codeOf(waits('CrashLoopBackOff')), 'app_crash_loop');
  t.is(codeOf(waits('ContainerCreating')), 'starting');
  t.is(codeOf(exits('Error', 1)), 'app_exited');
  t.is(codeOf(exits('Completed', 0)), 'app_exited');
  t.is(codeOf(exits('OOMKilled', 137)), 'app_out_of_memory');
  t.is(codeOf(exits('Error', 1, 'Always')), 'starting');
  t.is(codeOf(pod({ phase: 'Failed', reason: 'Evicted', message: 'low on memory' })), 'pod_evicted');
  t.is(codeOf(pod({ phase: 'Failed' })), 'app_exited');
  const sidecar = container({ terminated: { exitCode: 1 } }, { name: 'spawner-sidecar' });
  t.is(codeOf(pod({ containerStatuses: [running, sidecar] })), 'sidecar_exited');
  const init = container({ terminated: { exitCode: 3 } }, { name: 'prepare' });
  t.is(codeOf(pod({ initContainerStatuses: [init] })), 'app_exited');
  const looping = container(
    { waiting: { reason: 'CrashLoopBackOff' } },
    { lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } } },
  );
  t.is(codeOf(pod({ containerStatuses: [looping] }, 'Always')), 'app_out_of_memory');
});

test('an exit says its code, in one line', (t) => {
  const seen = look(
    pod({ containerStatuses: [container({ terminated: { reason: 'Error', exitCode: 42 } })] }),
  );
  t.deepEqual(seen, {
    phase: 'exited',
    failure: { code: 'app_exited', message: 'The app exited with code 42.', exitCode: 42 },
  });
});

import type {
  V1Container,
  V1ContainerState,
  V1ContainerStatus,
  V1Pod,
  V1PodStatus,
} from '@kubernetes/client-node';
import test from 'ava';
import { observePod } from '../../../../daemon/runtime/kubernetes/observe-pod.ts';

const time = new Date(0);
const conditions = (ready: 'True' | 'False', reason?: string) => [
  { type: 'ContainersReady', status: 'True' },
  { type: 'Ready', status: ready, ...(reason && { reason }) },
];

const app = { name: 'app', env: [{ name: 'PORT', value: '3000' }] };

function pod(status: V1PodStatus, restartPolicy = 'Never', containers: V1Container[] = [app]): V1Pod {
  return { metadata: { name: 'session-x' }, spec: { restartPolicy, containers }, status };
}

function container(state: V1ContainerState, more: Partial<V1ContainerStatus> = {}): V1ContainerStatus {
  return { name: 'app', image: 'my-app:1', imageID: '', ready: false, restartCount: 0, state, ...more };
}

const running = container({ running: { startedAt: time } }, { ready: true });
const look = (of: V1Pod | undefined) => observePod(of, 15_000);
const codeOf = (of: V1Pod) => {
  const seen = look(of);
  return seen.phase === 'exited' ? seen.failure.code : seen.phase;
};

const ready: V1PodStatus = {
  phase: 'Running',
  podIP: '10.0.0.7',
  conditions: conditions('True'),
  containerStatuses: [running],
};

test('where it listens, and whether it has a sidecar, is read from the Pod', (t) => {
  t.deepEqual(look(pod(ready)), { phase: 'listening', backend: '10.0.0.7:3000' });
  const both = [app, { name: 'spawner-sidecar' }];
  t.deepEqual(look(pod({ ...ready, podIP: 'FD00::7' }, 'Never', both)), {
    phase: 'listening',
    backend: '[fd00::7]:3000',
    statusAddress: '[fd00::7]:9118',
  });
  t.like(look(pod(ready, 'Never', [{ name: 'app' }])), {
    phase: 'starting',
    lacks: 'the Pod does not say its PORT',
  });
});

test('only a Pod that is Ready and has an address is listening', (t) => {
  const ungated = conditions('False', 'ReadinessGatesNotReady');
  t.is(look(pod({ ...ready, conditions: ungated })).phase, 'starting');
  t.is(look(pod({ ...ready, conditions: [{ type: 'Ready', status: 'False' }] })).phase, 'starting');
  const { podIP: _, ...homeless } = ready;
  t.is(look(pod(homeless)).phase, 'starting');
  t.is(look(undefined).phase, 'missing');
  t.is(codeOf({ ...pod(ready), metadata: { deletionTimestamp: time } }), 'app_lost');
});

test('a Pod whose node is thought dead is served on, in doubt', (t) => {
  const silent = { ...ready, conditions: conditions('False') };
  const doubt = 'the cluster has not heard of the node of the Pod';
  t.deepEqual(look(pod(silent)), { phase: 'listening', backend: '10.0.0.7:3000', doubt });
  t.is(codeOf({ ...pod(silent), metadata: { deletionTimestamp: time } }), 'app_lost');
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

const refused = (reason: string, message: string) =>
  pod({ containerStatuses: [container({ waiting: { reason, message } })] });

test('what a kubelet tries again is a failure only when it lasts', (t) => {
  const passing: [string, string][] = [
    ['CreateContainerConfigError', 'failed to sync secret cache: timed out waiting for the condition'],
    ['CreateContainerError', 'context deadline exceeded'],
    ['RunContainerError', 'no running task found: task 3f not found: not found'],
  ];
  for (const [reason, message] of passing) {
    const text = `The container app can't be started (${reason}): ${message}.`;
    t.like(look(refused(reason, message)), {
      phase: 'starting',
      lacks: `the Pod is not Ready: container app waits (${reason}): ${message}`,
      hurdle: { failure: { code: 'container_refused', message: text }, patienceMs: 20_000 },
    });
  }
});

test('what no kubelet can mend is a failure at once', (t) => {
  const lasting: [string, string][] = [
    ['CreateContainerConfigError', 'container has runAsNonRoot and image will run as root'],
    ['CreateContainerConfigError', 'container has runAsNonRoot and image has non-numeric user (me)'],
    ['CreateContainerConfigError', 'secret "tea" not found'],
    ['CreateContainerConfigError', 'configmap "tea" not found'],
    ['CreateContainerConfigError', "couldn't find key leaf in Secret here/tea"],
    ['RunContainerError', 'runc: exec: "tea": executable file not found in $PATH: unknown'],
    ['CreateContainerError', 'runc: exec: "/tea": stat /tea: no such file or directory: unknown'],
    ['RunContainerError', 'runc: exec: "/tea": permission denied: unknown'],
  ];
  for (const [reason, message] of lasting)
    t.is(codeOf(refused(reason, message)), 'container_refused', message);
});

test('every way to fail has its code', (t) => {
  const waits = (reason: string) => pod({ containerStatuses: [container({ waiting: { reason } })] });
  const exits = (reason: string, exitCode: number, restartPolicy?: string) =>
    pod({ containerStatuses: [container({ terminated: { reason, exitCode } })] }, restartPolicy);
  t.is(codeOf(waits('ImagePullBackOff')), 'image_pull_failed');
  t.is(codeOf(waits('InvalidImageName')), 'image_pull_failed');
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

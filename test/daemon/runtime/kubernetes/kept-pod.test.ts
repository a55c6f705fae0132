import type { V1ContainerState, V1Pod } from '@kubernetes/client-node';
import test from 'ava';
import { keptPod } from '../../../../daemon/runtime/kubernetes/kept-pod.ts';
import { observePod } from '../../../../daemon/runtime/kubernetes/observe-pod.ts';
import { ownedSession, sessionAnnotation } from '../../../../daemon/runtime/kubernetes/owned-session.ts';
import { newSessionId } from '../../../../daemon/session.ts';

const id = newSessionId();
const annotation = sessionAnnotation({
  id,
  createdAt: 1,
  labels: { team: 'blue' },
  idempotency: null,
  tokenEpoch: 0,
});
const running: V1ContainerState = { running: { startedAt: new Date(0) } };

/** One of a session that serves, as large as Pods are. */
function pod(state: V1ContainerState = running, lastState: V1ContainerState = {}): V1Pod {
  const status = {
    ready: state.running !== undefined,
    ...{ image: 'app:1', imageID: 'sha256:1', restartCount: 2, state, lastState },
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name: `session-${id}`, namespace: 'sessions', uid: 'uid', resourceVersion: '7' },
      creationTimestamp: new Date(0),
      labels: { 'spawner/session': id, other: 'label' },
      annotations: { 'spawner/session': annotation, other: 'annotation' },
      managedFields: [{ manager: 'kubelet' }],
    },
    spec: {
      restartPolicy: 'Never',
      containers: [
        { name: 'app', image: 'app:1', env: ['HOST', 'PORT'].map((name) => ({ name, value: '3000' })) },
        { name: 'spawner-sidecar', image: 'router:1', env: [{ name: 'PORT', value: '1' }] },
      ],
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists' }],
    },
    status: {
      ...{ phase: 'Running', podIP: '10.0.0.7', podIPs: [{ ip: '10.0.0.7' }] },
      conditions: [
        { type: 'Initialized', status: 'True' },
        { type: 'Ready', status: state.running ? 'True' : 'False', lastTransitionTime: new Date(0) },
        { type: 'ContainersReady', status: state.running ? 'True' : 'False' },
      ],
      containerStatuses: [
        { name: 'app', ...status },
        { name: 'spawner-sidecar', ...status, state: running },
      ],
    },
  };
}

test('what is read of a Pod is kept, and no more', (t) => {
  const status = { image: 'app:1', imageID: '', ready: true, restartCount: 2, state: { running: {} } };
  t.deepEqual(keptPod(pod()), {
    metadata: {
      ...{ name: `session-${id}`, namespace: 'sessions', uid: 'uid', resourceVersion: '7' },
      labels: { 'spawner/session': id },
      annotations: { 'spawner/session': annotation },
    },
    spec: {
      restartPolicy: 'Never',
      containers: [{ name: 'app', env: [{ name: 'PORT', value: '3000' }] }, { name: 'spawner-sidecar' }],
    },
    status: {
      ...{ phase: 'Running', podIP: '10.0.0.7' },
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'ContainersReady', status: 'True' },
      ],
      containerStatuses: [
        { name: 'app', ...status },
        { name: 'spawner-sidecar', ...status },
      ],
    },
  });
});

test('what is kept of a Pod means what the Pod means', (t) => {
  const killed = { terminated: { exitCode: 137, signal: 9, reason: 'OOMKilled' } };
  const ended = { terminated: { exitCode: 3, signal: 15, reason: 'Error' } };
  const whole = pod();
  const unschedulable = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'full' };
  const unheard = [
    { type: 'Ready', status: 'False' },
    { type: 'ContainersReady', status: 'True' },
  ];
  const pods: V1Pod[] = [
    whole,
    { ...whole, status: { ...whole.status, conditions: unheard } },
    pod(ended),
    pod(killed),
    pod({ waiting: { reason: 'ImagePullBackOff', message: 'no such image' } }),
    pod({ waiting: { reason: 'CreateContainerError', message: 'no room' } }),
    pod({ waiting: { reason: 'CrashLoopBackOff' } }, { terminated: { exitCode: 1, reason: 'OOMKilled' } }),
    pod({ waiting: { reason: 'CrashLoopBackOff' } }, ended),
    { ...pod(ended), spec: { containers: [], restartPolicy: 'Always' } },
    { ...whole, metadata: { ...whole.metadata, deletionTimestamp: new Date(0) } },
    { ...whole, metadata: { ...whole.metadata, labels: {} } },
    { ...whole, status: { phase: 'Failed', reason: 'Evicted', message: 'the node was low on memory' } },
    { ...whole, status: { phase: 'Pending', conditions: [unschedulable] } },
    {
      ...whole,
      status: {
        initContainerStatuses: [
          { name: 'setup', image: '', imageID: '', ready: false, restartCount: 0, state: ended },
        ],
      },
    },
    { metadata: { name: 'stranger' } },
  ];
  const meaning = (one: V1Pod) => ({ ...observePod(one, 1), owned: ownedSession(one) });
  for (const one of pods) t.deepEqual(meaning(keptPod(one)), meaning(one));
  t.is(
    new Set(pods.map((one) => JSON.stringify(meaning(one)))).size,
    pods.length,
    'each means another thing',
  );
});

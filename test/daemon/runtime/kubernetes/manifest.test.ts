import test from 'ava';
import {
  type PodSettings,
  podManifest,
  serviceManifest,
} from '../../../../daemon/runtime/kubernetes/manifest.ts';
import { ownedSession } from '../../../../daemon/runtime/kubernetes/owned-session.ts';
import {
  EMPTY_TEMPLATE,
  type PodTemplate,
  parsePodTemplate,
} from '../../../../daemon/runtime/kubernetes/pod-template.ts';
import type { SessionSpec } from '../../../../daemon/session.ts';

const id = 'abcdefghijklmnopqrstuvwxyz';
const spec: SessionSpec = {
  id,
  createdAt: 1_000,
  env: {},
  labels: { team: 'blue' },
  idempotency: null,
  tokenEpoch: null,
};
const settings: PodSettings = {
  namespace: 'here',
  image: 'my-app:1',
  port: 8080,
  publicUrl: { form: 'path', scheme: 'https', host: 'my-domain.com' },
  stopGraceMs: 4_500,
  sidecarImage: undefined,
  template: EMPTY_TEMPLATE,
};
const withTemplate = (text: string, more: Partial<PodSettings> = {}) => ({
  ...settings,
  ...more,
  template: parsePodTemplate(text) as PodTemplate,
});
const own = [
  { name: 'PORT', value: '8080' },
  { name: 'HOST', value: '0.0.0.0' },
  { name: 'SPAWNER_SESSION_ID', value: id },
  { name: 'SPAWNER_BASE_PATH', value: `/p/${id}/` },
  { name: 'SPAWNER_PUBLIC_URL', value: `https://my-domain.com/p/${id}/` },
];

test('a Pod is safe without a template', (t) => {
  t.deepEqual(podManifest(spec, settings), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `session-${id}`,
      namespace: 'here',
      labels: {
        'app.kubernetes.io/managed-by': 'spawner',
        'spawner/session': id,
        'spawner/shard': 'a',
      },
      annotations: {
        'spawner/session': '{"createdAt":1000,"labels":{"team":"blue"},"idempotency":null,"tokenEpoch":null}',
      },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 5,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'app',
          image: 'my-app:1',
          env: own,
          ports: [{ name: 'spawner-app', containerPort: 8080 }],
          readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  });
});

test('what a Pod was made for can be read from it again', (t) => {
  t.deepEqual(ownedSession(podManifest(spec, settings)), {
    id,
    createdAt: 1_000,
    labels: { team: 'blue' },
    idempotency: null,
    tokenEpoch: null,
    deleted: false,
  });
  t.is(ownedSession({ metadata: { name: `session-${id}`, labels: { 'spawner/session': id } } }), undefined);
});

test('the template loosens and adds, and keeps its order', (t) => {
  const template = `
metadata: {labels: {cost: demo}}
spec:
  automountServiceAccountToken: true
  securityContext: {runAsNonRoot: false}
  nodeSelector: {disk: fast}
  volumes: [{name: data, emptyDir: {}}]
  containers:
  - {name: helper, image: "helper:1"}
  - name: app
    env: [{name: A, value: t}, {name: B, value: t}]
    securityContext: {capabilities: {add: [NET_BIND_SERVICE]}}
    readinessProbe: {httpGet: {path: /ok, port: 8080}, timeoutSeconds: 7}
`;
  const { metadata, spec: made } = podManifest(
    { ...spec, env: { B: 'caller' } },
    withTemplate(template, { sidecarImage: 'spawner-router:1' }),
  );
  t.is(metadata?.labels?.cost, 'demo');
  t.like(made, {
    automountServiceAccountToken: true,
    nodeSelector: { disk: 'fast' },
    restartPolicy: 'Never',
  });
  t.like(made?.securityContext, { runAsNonRoot: false, seccompProfile: { type: 'RuntimeDefault' } });
  t.deepEqual(
    made?.containers.map(({ name }) => name),
    ['helper', 'app', 'spawner-sidecar'],
  );
  const [helper, app, sidecar] = made?.containers ?? [];
  t.deepEqual(helper?.securityContext, { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } });
  t.deepEqual(app?.securityContext?.capabilities, { drop: ['ALL'], add: ['NET_BIND_SERVICE'] });
  t.deepEqual(app?.env?.slice(0, 2), [
    { name: 'A', value: 't' },
    { name: 'B', value: 'caller' },
  ]);
  t.deepEqual(sidecar?.env, [
    { name: 'SPAWNER_APPLICATION_PORT', value: '8080' },
    { name: 'SPAWNER_PROBE_SECONDS', value: '7' },
  ]);
  t.deepEqual(
    made?.volumes?.map(({ name }) => name),
    ['data', 'spawner-tmp'],
  );
});

test('a template drops what it says, and names its port as it likes', (t) => {
  const template = `
spec:
  containers:
  - name: app
    securityContext: {capabilities: {drop: [NET_RAW]}}
    ports: [{name: web, containerPort: 8080}]
`;
  const [app] = podManifest(spec, withTemplate(template)).spec?.containers ?? [];
  t.deepEqual(app?.securityContext?.capabilities, { drop: ['NET_RAW'] });
  // The name is what network.yaml knows it by.
  t.deepEqual(app?.ports, [
    { name: 'web', containerPort: 8080 },
    { name: 'spawner-app', containerPort: 8080 },
  ]);
});

test('a variable of the template may have any name', (t) => {
  const template = 'spec: {containers: [{name: app, env: [{name: constructor, value: t}]}]}';
  const made = podManifest(spec, withTemplate(template));
  t.deepEqual(made.spec?.containers[0]?.env?.[0], { name: 'constructor', value: 't' });
});

test('what the caller chose wins, and its limit is not undercut by an older request', (t) => {
  const template =
    'spec: {containers: [{name: app, resources: {requests: {cpu: "2", memory: 1Gi}, limits: {cpu: "4"}}}]}';
  const resources = { limits: { cpu: '1' }, requests: { memory: '2Gi' } };
  const made = podManifest({ ...spec, image: 'other:2', resources }, withTemplate(template));
  t.is(made.spec?.containers[0]?.image, 'other:2');
  t.deepEqual(made.spec?.containers[0]?.resources, { limits: { cpu: '1' }, requests: { memory: '2Gi' } });
});

test('the kubelet will not find anything to replace in the values of a caller', (t) => {
  const made = podManifest({ ...spec, env: { PRICE: '$5 $(PORT) $$' } }, settings);
  t.deepEqual(made.spec?.containers[0]?.env?.[0], { name: 'PRICE', value: '$$5 $$(PORT) $$$$' });
});

test('the Service is headless and belongs to the Pod', (t) => {
  const pod = { metadata: { name: `session-${id}`, namespace: 'here', uid: 'u1' } };
  t.like(serviceManifest(pod, id, 8080), {
    metadata: { ownerReferences: [{ kind: 'Pod', name: `session-${id}`, uid: 'u1' }] },
    spec: { clusterIP: 'None', selector: { 'spawner/session': id }, ports: [{ port: 8080 }] },
  });
});

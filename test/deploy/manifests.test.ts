import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type KubernetesObject,
  loadAllYaml,
  type V1Deployment,
  type V1Namespace,
  type V1NetworkPolicy,
  type V1Service,
} from '@kubernetes/client-node';
import test from 'ava';
import { daemonOptions } from '../../daemon/options.ts';
import { APP_PORT_NAME, SIDECAR_PORT } from '../../daemon/runtime/kubernetes/names.ts';
import { parsePodTemplate } from '../../daemon/runtime/kubernetes/pod-template.ts';
import { projectVersion } from '../../scripts/images/recipes.ts';
import { root } from '../../scripts/nginx.ts';
import { PRIVATE_NETWORKS, ROUTER_DEFAULTS } from '../../scripts/router-settings.ts';

const folder = join(root, 'deploy');
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const entrypoint = ['entrypoint.sh', 'pool.sh'].map((name) => read(`images/router/${name}`)).join('');

interface Kustomization {
  resources: string[];
  images: { name: string; newTag: string }[];
  configMapGenerator: { name: string; namespace: string; literals?: string[]; files?: string[] }[];
}
const [kustomization] = loadAllYaml(read('kustomization.yaml')) as unknown as [Kustomization];
const objects = kustomization.resources.flatMap((name) => loadAllYaml(read(name)) as KubernetesObject[]);

/** The object of that kind and name, in that namespace if there are several; fails when there is none. */
function find<T extends KubernetesObject>(kind: string, name: string, namespace?: string): T {
  const found = objects.find(
    ({ kind: k, metadata: m }) =>
      k === kind && m?.name === name && (namespace === undefined || m.namespace === namespace),
  );
  if (!found) throw new Error(`deploy/ has no ${kind} ${name}${namespace ? ` in ${namespace}` : ''}`);
  return found as T;
}

function literals(name: string): Record<string, string> {
  const map = kustomization.configMapGenerator.find((given) => given.name === name);
  return Object.fromEntries((map?.literals ?? []).map((text) => text.split(/=(.*)/s) as [string, string]));
}

const deployments = ['spawner-daemon', 'spawner-router'].map((name) =>
  find<V1Deployment>('Deployment', name),
);
const podOf = (deployment: V1Deployment) => deployment.spec?.template;
const containerOf = (deployment: V1Deployment) => podOf(deployment)?.spec?.containers[0];
const [daemon, router] = deployments as [V1Deployment, V1Deployment];

test('every file of the folder is installed, or is one to install by itself', (t) => {
  const apart = ['kustomization.yaml', 'pod-template.yaml', 'disruption-budget.yaml', 'session-limits.yaml'];
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  t.deepEqual(files.sort(), [...kustomization.resources, ...apart].sort());
  for (const name of apart.slice(2))
    t.truthy(
      loadAllYaml(read(name)).every(({ kind }) => kind),
      name,
    );
});

test('the settings of the daemon are flags that it takes', (t) => {
  const variables = (containerOf(daemon)?.env ?? []).map(({ name, value }) => [name, value]);
  const settings = { ...literals('spawner-public'), ...literals('spawner-daemon') };
  for (const [name, value] of [...variables, ...Object.entries(settings)]) {
    const option = daemonOptions().find(({ envVar }) => envVar === name);
    t.truthy(option, `${name} is no flag of the daemon`);
    t.true(option?.argChoices?.includes(value as string) ?? true, `${name}=${value}`);
    if (value && option?.parseArg) t.notThrows(() => option.parseArg?.(value, undefined), `${name}=${value}`);
  }
});

test('the settings of the router are those of its entrypoint, at their defaults', (t) => {
  const { activityZoneSize, connectionsPerSession, routesZoneSize } = ROUTER_DEFAULTS;
  const { holdMax, holdMaxPerSession, holdSeconds } = ROUTER_DEFAULTS;
  t.deepEqual(literals('spawner-router'), {
    SPAWNER_ROUTES_ZONE_SIZE: routesZoneSize,
    SPAWNER_ACTIVITY_ZONE_SIZE: activityZoneSize,
    SPAWNER_HOLD_SECONDS: String(holdSeconds),
    SPAWNER_HOLD_MAX: String(holdMax),
    SPAWNER_HOLD_MAX_PER_SESSION: String(holdMaxPerSession),
    SPAWNER_CONNECTIONS_PER_SESSION: String(connectionsPerSession),
    SPAWNER_BACKENDS: PRIVATE_NETWORKS.join(','),
    SPAWNER_ROUTER_WORKERS: '2',
  });
  const names = [
    ...Object.keys({ ...literals('spawner-public'), ...literals('spawner-router') }),
    ...(containerOf(router)?.env ?? []).map((v) => v.name),
  ];
  for (const name of names) t.true(entrypoint.includes(`\${${name}`), name);
});

test("images are this version's, wherever they are named", (t) => {
  const version = projectVersion();
  for (const { name, newTag } of kustomization.images) t.is(newTag, version, name);
  t.deepEqual(
    deployments.map((deployment) => containerOf(deployment)?.image).sort(),
    kustomization.images.map(({ name }) => name).sort(),
  );
  t.is(literals('spawner-daemon').SPAWNER_APPLICATION_IMAGE, `spawner-example:${version}`);
  t.is(literals('spawner-daemon').SPAWNER_SIDECAR_IMAGE, `spawner-router:${version}`);
});

test("the router's ports are those that it listens on", (t) => {
  const ports = (containerOf(router)?.ports ?? []).map(({ containerPort }) => String(containerPort));
  t.deepEqual(
    ports,
    Array.from(entrypoint.matchAll(/listen_on (\d+).*\n {2}\w*[lL]isten=/g), (match) => match[1]).filter(
      (port) => port !== '9118',
    ),
  );
});

test('Services lead to Pods and ports that are there', (t) => {
  const targets: [string, V1Deployment][] = [
    ['spawner-daemon', daemon],
    ['spawner-router', router],
    ['spawner-router-admin', router],
  ];
  for (const [name, deployment] of targets) {
    const { selector, ports } = find<V1Service>('Service', name).spec ?? {};
    t.deepEqual(selector, podOf(deployment)?.metadata?.labels, name);
    const named = containerOf(deployment)?.ports?.map((port) => port.name);
    for (const { targetPort } of ports ?? [])
      t.true(named?.includes(targetPort as string), `${name} ${targetPort}`);
  }
  const admin = find<V1Service>('Service', 'spawner-router-admin').spec;
  t.is(admin?.clusterIP, 'None');
  t.true(admin?.publishNotReadyAddresses, 'routers are filled before they are ready');
});

test('the daemon is told of the Service and the folder that are there', (t) => {
  const value = (name: string) => containerOf(daemon)?.env?.find((variable) => variable.name === name)?.value;
  const [, service, namespace] = /^service:(.+)\.(.+)$/.exec(value('SPAWNER_ROUTER') ?? '') ?? [];
  t.truthy(find('Service', service as string, namespace));
  t.truthy(find('Role', 'spawner-daemon', value('SPAWNER_NAMESPACE')));
  t.is(
    value('SPAWNER_POD_TEMPLATE'),
    `${containerOf(daemon)?.volumeMounts?.[0]?.mountPath}/pod-template.yaml`,
  );
  t.notThrows(() => parsePodTemplate(read('pod-template.yaml')));
});

test('the policies tell sessions, daemon and routers apart by labels that they have', (t) => {
  const sessions = find<V1Namespace>('Namespace', 'spawner-sessions').metadata?.labels ?? {};
  const own = find<V1Namespace>('Namespace', 'spawner').metadata?.labels ?? {};
  t.is(sessions['spawner/sessions'], 'true');
  t.false('spawner/sessions' in own);
  const toSessions = find<V1NetworkPolicy>('NetworkPolicy', 'sessions', 'spawner-sessions').spec;
  for (const [index, deployment] of [router, daemon].entries()) {
    const [from] = toSessions?.ingress?.[index]?._from ?? [];
    t.like(own, from?.namespaceSelector?.matchLabels ?? { none: 'none' });
    t.like(podOf(deployment)?.metadata?.labels, from?.podSelector?.matchLabels ?? { none: 'none' });
  }
  for (const [name, deployment] of [
    ['daemon', daemon],
    ['router', router],
  ] as const) {
    const policy = find<V1NetworkPolicy>('NetworkPolicy', name).spec;
    t.deepEqual(policy?.podSelector?.matchLabels, podOf(deployment)?.metadata?.labels, name);
  }
});

test('the daemon reaches of a session what it asks for its use, by the names that Pods have', (t) => {
  const { ingress } = find<V1NetworkPolicy>('NetworkPolicy', 'sessions', 'spawner-sessions').spec ?? {};
  t.deepEqual(
    ingress?.[1]?.ports?.map(({ port }) => port),
    [APP_PORT_NAME, SIDECAR_PORT],
  );
});

test('nothing runs with more rights than it needs', (t) => {
  for (const deployment of deployments) {
    const pod = podOf(deployment)?.spec?.securityContext;
    t.true(pod?.runAsNonRoot);
    t.is(pod?.seccompProfile?.type, 'RuntimeDefault');
    const container = containerOf(deployment)?.securityContext;
    t.false(container?.allowPrivilegeEscalation);
    t.true(container?.readOnlyRootFilesystem);
    t.deepEqual(container?.capabilities?.drop, ['ALL']);
  }
  t.false(podOf(router)?.spec?.automountServiceAccountToken);
  t.notRegex(read('access.yaml'), /\*|Cluster|secrets/);
});

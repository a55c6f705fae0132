/** The objects of one session, as the API server gets them. Pure. */
import type {
  V1Container,
  V1EnvVar,
  V1Pod,
  V1PodSpec,
  V1Probe,
  V1ResourceRequirements,
  V1Service,
} from '@kubernetes/client-node';
import { shardOfSession } from '../../../njs/shard.ts';
import type { PublicUrl } from '../../public-url.ts';
import type { SessionSpec } from '../../session.ts';
import { ownEnvironment } from '../session-environment.ts';
import {
  APP_CONTAINER,
  APP_PORT_NAME,
  objectName,
  SESSION_ANNOTATION,
  SESSION_LABEL,
  SHARD_LABEL,
  SIDECAR_CONTAINER,
  SIDECAR_PORT,
} from './names.ts';
import { sessionAnnotation } from './owned-session.ts';
import type { PodTemplate } from './pod-template.ts';

export interface PodSettings {
  namespace: string;
  /** What the app's container runs unless the caller of `/init` chose another. */
  image: string;
  /** Where the app listens. */
  port: number;
  publicUrl: PublicUrl;
  stopGraceMs: number;
  /** The router's image; undefined injects no sidecar. */
  sidecarImage: string | undefined;
  template: PodTemplate;
}

const MANAGED = { 'app.kubernetes.io/managed-by': 'spawner' };
const UNPRIVILEGED = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const SIDECAR_FOLDER = 'spawner-tmp';
const SIDECAR_RESOURCES = {
  requests: { cpu: '5m', memory: '16Mi' },
  limits: { cpu: '100m', memory: '32Mi' },
};

/** Safe by default; what the operator's template says wins. */
export function podManifest(spec: SessionSpec, settings: PodSettings): V1Pod {
  const { template } = settings;
  const { id } = spec;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: objectName(id),
      namespace: settings.namespace,
      labels: {
        ...template.metadata.labels,
        ...MANAGED,
        [SESSION_LABEL]: id,
        [SHARD_LABEL]: shardOfSession(id),
      },
      annotations: {
        ...template.metadata.annotations,
        [SESSION_ANNOTATION]: sessionAnnotation(spec),
      },
    },
    spec: podSpec(spec, settings),
  };
}

function podSpec(spec: SessionSpec, settings: PodSettings): V1PodSpec {
  const template = settings.template.spec;
  const given = template.containers.some(({ name }) => name === APP_CONTAINER)
    ? template.containers
    : [{ name: APP_CONTAINER }, ...template.containers];
  const containers = given.map((container) =>
    unprivileged(container.name === APP_CONTAINER ? appContainer(container, spec, settings) : container),
  );
  const app = containers.find(({ name }) => name === APP_CONTAINER) as V1Container;
  const sidecar = settings.sidecarImage;
  return {
    // What a session was is lost with its app: another start would be another session at the same URL.
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: Math.ceil(settings.stopGraceMs / 1000),
    ...template,
    securityContext: {
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
      ...template.securityContext,
    },
    ...(template.initContainers && { initContainers: template.initContainers.map(unprivileged) }),
    containers:
      sidecar === undefined ? containers : [...containers, sidecarContainer(sidecar, app, settings.port)],
    ...(sidecar !== undefined && {
      volumes: [
        ...(template.volumes ?? []),
        { name: SIDECAR_FOLDER, emptyDir: { medium: 'Memory', sizeLimit: '4Mi' } },
      ],
    }),
  };
}

function unprivileged(container: V1Container): V1Container {
  const given = container.securityContext;
  const capabilities = { ...UNPRIVILEGED.capabilities, ...given?.capabilities };
  return { ...container, securityContext: { ...UNPRIVILEGED, ...given, capabilities } };
}

function appContainer(template: V1Container, spec: SessionSpec, settings: PodSettings): V1Container {
  const { port, publicUrl } = settings;
  const own = ownEnvironment(spec, { host: '0.0.0.0', port, publicUrl });
  return {
    ...template,
    image: spec.image ?? settings.image,
    env: environment(template.env ?? [], { ...spec.env, ...own }),
    ports: [...(template.ports ?? []), { name: APP_PORT_NAME, containerPort: port }],
    readinessProbe: template.readinessProbe ?? { tcpSocket: { port }, periodSeconds: 1 },
    ...((template.resources || spec.resources) && {
      resources: resources(template.resources ?? {}, spec.resources ?? { requests: {}, limits: {} }),
    }),
  };
}

/** The later one of a name wins. The kubelet replaces `$(NAME)` in values, and `$$` by `$`. */
function environment(template: V1EnvVar[], values: Record<string, string>): V1EnvVar[] {
  const own = Object.entries(values).map(([name, value]) => ({ name, value: value.replaceAll('$', '$$$$') }));
  return [...template.filter(({ name }) => !Object.hasOwn(values, name)), ...own];
}

/** A limit of the caller's also stands for the request, as in any Pod, and not for the template's larger one. */
function resources(
  template: V1ResourceRequirements,
  asked: NonNullable<SessionSpec['resources']>,
): V1ResourceRequirements {
  const overruled = Object.keys(asked.limits);
  const kept = Object.entries(template.requests ?? {}).filter(([name]) => !overruled.includes(name));
  return {
    ...template,
    limits: { ...template.limits, ...asked.limits },
    requests: { ...Object.fromEntries(kept), ...asked.requests },
  };
}

function sidecarContainer(image: string, app: V1Container, applicationPort: number): V1Container {
  return {
    name: SIDECAR_CONTAINER,
    image,
    args: ['sidecar'],
    env: [
      { name: 'SPAWNER_APPLICATION_PORT', value: String(applicationPort) },
      { name: 'SPAWNER_PROBE_SECONDS', value: String(longestProbe(app)) },
    ],
    ports: [{ containerPort: SIDECAR_PORT }],
    resources: SIDECAR_RESOURCES,
    securityContext: {
      ...UNPRIVILEGED,
      runAsNonRoot: true,
      runAsUser: 65532,
      readOnlyRootFilesystem: true,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [{ name: SIDECAR_FOLDER, mountPath: '/tmp' }],
  };
}

/** How long a probe's connection may last, and so look like a visitor's. The API's default is 1 s. */
function longestProbe({ readinessProbe, livenessProbe, startupProbe }: V1Container): number {
  const probes = [readinessProbe, livenessProbe, startupProbe].filter(
    (probe): probe is V1Probe => probe !== undefined,
  );
  return Math.max(1, ...probes.map(({ timeoutSeconds }) => timeoutSeconds ?? 1));
}

/** A name in DNS for the Pod, and nothing for kube-proxy to do. It goes with the Pod that owns it. */
export function serviceManifest(pod: V1Pod, id: string, port: number): V1Service {
  const name = objectName(id);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace: pod.metadata?.namespace as string,
      labels: { ...MANAGED, [SESSION_LABEL]: id },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Pod', name, uid: pod.metadata?.uid as string, controller: true },
      ],
    },
    spec: { clusterIP: 'None', selector: { [SESSION_LABEL]: id }, ports: [{ name: 'http', port }] },
  };
}

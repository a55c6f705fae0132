/** Puts the Kubernetes runtime together. */
import type { Logger } from 'pino';
import type { KubernetesConfig } from '../../config.ts';
import type { Connection } from '../../kubernetes/connection.ts';
import { takeMachineLock } from '../../machine-lock.ts';
import type { PublicUrl } from '../../public-url.ts';
import type { Runtime } from '../runtime.ts';
import { createKubernetesRuntime } from './kubernetes-runtime.ts';
import { holdLease } from './lease.ts';
import { leaseIdentity } from './lease-identity.ts';
import { EMPTY_TEMPLATE, readPodTemplate } from './pod-template.ts';

export interface InClusterParts {
  settings: KubernetesConfig;
  connection: Connection;
  publicUrl: PublicUrl;
  stopGraceMs: number;
  /** Milliseconds, of a clock that nobody sets. */
  now: () => number;
  /** Told why the start takes longer. */
  waiting: (reason: string) => void;
  log: Logger;
}

/** The process ends when another daemon takes its Lease over. @throws {ConfigError} if the Pod template can't be used */
export function createInCluster(parts: InClusterParts): Runtime {
  const { connection, publicUrl, stopGraceMs, now, waiting, log } = parts;
  const { image, port, podTemplate, sidecarImage, unschedulableMs } = parts.settings;
  const namespace = parts.settings.namespace ?? connection.namespace;
  const template = podTemplate === undefined ? EMPTY_TEMPLATE : readPodTemplate(podTemplate);
  const pods = { namespace, image, port, publicUrl, stopGraceMs, sidecarImage, template };
  const takeLease = () => {
    const { leases } = connection;
    const identity = leaseIdentity();
    return holdLease({ leases, namespace, identity, lock: takeMachineLock, now, waiting, lost, log });
  };
  const lost = (holder: string) => {
    log.fatal({ holder, namespace }, 'another daemon has taken over');
    process.exit(1);
  };
  return createKubernetesRuntime({ connection, pods, unschedulableMs, takeLease, waiting, log });
}

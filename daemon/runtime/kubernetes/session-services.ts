/** The Services of sessions: a name in DNS for each Pod. Routes do without, so nothing waits for one that is missing. */
import type { CoreV1Api, V1Pod } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { every } from '../../every.ts';
import { describeApiError, isStatus } from '../../kubernetes/api-error.ts';
import { serviceNames } from '../../kubernetes/service-names.ts';
import { serviceManifest } from './manifest.ts';
import { SESSION_LABEL } from './names.ts';
import { ownedSession } from './owned-session.ts';
import { applicationPort } from './pod-place.ts';

const LOOK_MS = 10_000;

export interface SessionServices {
  /** Makes the Pod's Service, unless it is there. */
  make(pod: V1Pod): Promise<void>;
  /**
   * Makes those that are missing now, and from then on: a daemon may have been killed between Pod and Service, a quota
   * may have been full, somebody may have deleted one. The answer ends it.
   */
  keep(pods: () => V1Pod[]): () => void;
}

export function createSessionServices(api: CoreV1Api, namespace: string, log: Logger): SessionServices {
  let told: string | undefined;

  async function make(pod: V1Pod): Promise<void> {
    const session = ownedSession(pod);
    const port = applicationPort(pod);
    if (!session || port === undefined) return; // somebody changed it
    await api
      .createNamespacedService({ namespace, body: serviceManifest(pod, session.id, port) })
      .catch((error) => {
        if (!isStatus(error, 409)) throw error;
      });
  }

  async function makeMissing(pods: V1Pod[]): Promise<void> {
    // What the API server's memory missed is a 409 to `make`.
    const names = await serviceNames(api, namespace, SESSION_LABEL);
    const lone = pods.filter(
      ({ metadata }) => !names.has(metadata?.name ?? '') && !metadata?.deletionTimestamp,
    );
    const made = await Promise.allSettled(lone.map(make));
    const [failure] = made.filter(({ status }) => status === 'rejected');
    if (failure?.status === 'rejected') throw failure.reason;
    told = undefined;
  }

  // The same trouble is told once.
  function failed(error: Error): void {
    const reason = describeApiError(error);
    if (reason !== told) log.warn({ reason, namespace }, 'the Services of sessions can not be seen to now');
    told = reason;
  }

  return {
    make,
    // The list of Pods is taken first: a Pod that is made meanwhile gets its Service from whoever makes it.
    keep: (pods) => every(LOOK_MS, () => makeMissing(pods()), failed),
  };
}

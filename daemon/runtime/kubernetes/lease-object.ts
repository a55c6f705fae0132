/** The Lease as an object of the API server. */
import { type CoordinationV1Api, type V1Lease, V1MicroTime } from '@kubernetes/client-node';
import { isStatus } from '../../kubernetes/api-error.ts';

const NAME = 'spawner-daemon';
const DURATION_SECONDS = 15;

export interface LeaseObject {
  /** As it is now; made, with no holder, if there is none. */
  read(): Promise<V1Lease>;
  /** Puts the holder into what was read; refused with 409 if somebody else wrote since. */
  write(seen: V1Lease, holder: string): Promise<void>;
}

export function leaseObject(leases: CoordinationV1Api, namespace: string): LeaseObject {
  return {
    async read() {
      try {
        return await leases.readNamespacedLease({ name: NAME, namespace });
      } catch (error) {
        if (!isStatus(error, 404)) throw error;
        const spec = { leaseDurationSeconds: DURATION_SECONDS };
        return leases.createNamespacedLease({ namespace, body: { metadata: { name: NAME }, spec } });
      }
    },
    async write(seen, holder) {
      const body = {
        ...seen,
        spec: {
          ...seen.spec,
          holderIdentity: holder,
          leaseDurationSeconds: DURATION_SECONDS,
          renewTime: new V1MicroTime(),
        },
      };
      await leases.replaceNamespacedLease({ name: NAME, namespace, body });
    },
  };
}

/**
 * Tells, by our own clock, whether nobody renewed the Lease while we looked at it again and again.
 * @param now milliseconds
 */
export function createAbandonmentWatch(now: () => number): (lease: V1Lease) => boolean {
  let seen: { version: string | undefined; at: number } | undefined;
  return ({ metadata, spec }) => {
    const version = metadata?.resourceVersion;
    if (seen?.version !== version) seen = { version, at: now() };
    return now() - (seen?.at ?? 0) > (spec?.leaseDurationSeconds ?? DURATION_SECONDS) * 1000;
  };
}

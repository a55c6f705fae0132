/**
 * One daemon at a time for a namespace: two would end each other's sessions. Held through a Lease, as Kubernetes' own
 * controllers do (https://kubernetes.io/docs/concepts/architecture/leases/).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type CoordinationV1Api, type V1Lease, V1MicroTime } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { every } from '../../every.ts';
import { describeApiError, isStatus } from './api-error.ts';

const NAME = 'spawner-daemon';
const RENEW_MS = 5_000;
const LOOK_MS = 1_000;
const DURATION_SECONDS = 15;

export interface LeaseParts {
  leases: CoordinationV1Api;
  namespace: string;
  /** Who we are; the next daemon of this name takes the Lease over at once. */
  identity: string;
  /** Told why the Lease is not ours yet. */
  waiting: (reason: string) => void;
  /** Another daemon has it: this one must not act any more. */
  lost: (holder: string) => void;
  log: Logger;
}

export interface HeldLease {
  /** Lets another daemon have it at once. */
  release(): Promise<void>;
}

/** Resolves when the Lease is ours, and keeps it from then on. While the API is away nobody else can take it. */
export async function holdLease(parts: LeaseParts): Promise<HeldLease> {
  const { leases, namespace, identity, waiting, lost, log } = parts;
  let seen: { version: string | undefined; at: number } | undefined;

  async function acquire(): Promise<V1Lease | undefined> {
    const present = await read();
    if (!present) return leases.createNamespacedLease({ namespace, body: claim(undefined) });
    const holder = present.spec?.holderIdentity;
    if (holder && holder !== identity && !isAbandoned(present)) {
      waiting(`another daemon, ${holder}, works in namespace ${namespace}`);
      return undefined;
    }
    return leases.replaceNamespacedLease({ name: NAME, namespace, body: claim(present) });
  }

  /** By our own clock: nobody renewed it while we looked. */
  function isAbandoned({ metadata, spec }: V1Lease): boolean {
    if (seen?.version !== metadata?.resourceVersion) {
      seen = { version: metadata?.resourceVersion, at: performance.now() };
    }
    return performance.now() - (seen?.at ?? 0) > (spec?.leaseDurationSeconds ?? DURATION_SECONDS) * 1000;
  }

  async function read(): Promise<V1Lease | undefined> {
    try {
      return await leases.readNamespacedLease({ name: NAME, namespace });
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  /** The version in it makes the API server refuse the write of whoever was second. */
  function claim(present: V1Lease | undefined, holder = identity): V1Lease {
    return {
      metadata: { ...present?.metadata, name: NAME, namespace },
      spec: {
        ...present?.spec,
        holderIdentity: holder,
        leaseDurationSeconds: DURATION_SECONDS,
        renewTime: new V1MicroTime(),
      },
    };
  }

  async function renew(): Promise<void> {
    const present = await read();
    const holder = present?.spec?.holderIdentity;
    if (holder && holder !== identity) return lost(holder);
    if (present) await leases.replaceNamespacedLease({ name: NAME, namespace, body: claim(present) });
    else await leases.createNamespacedLease({ namespace, body: claim(undefined) });
  }

  for (let told = ''; ; await sleep(LOOK_MS)) {
    try {
      if (await acquire()) break;
    } catch (error) {
      if (isStatus(error, 409)) continue;
      const reason = describeApiError(error);
      waiting(reason);
      if (reason !== told) log.warn({ reason }, 'the lease can not be taken yet');
      told = reason;
    }
  }
  const notRenewed = (error: Error) => {
    log.debug({ reason: describeApiError(error) }, 'the lease could not be renewed');
  };
  let renewing = Promise.resolve();
  const stop = every(
    RENEW_MS,
    () => {
      renewing = renew().catch(notRenewed);
      return renewing;
    },
    notRenewed,
  );
  return {
    async release() {
      stop();
      await renewing;
      const present = await read();
      if (present?.spec?.holderIdentity !== identity) return;
      await leases.replaceNamespacedLease({ name: NAME, namespace, body: claim(present, '') });
    },
  };
}

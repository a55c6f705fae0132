/**
 * One daemon at a time for a namespace: two would end each other's sessions. Held through a Lease, as Kubernetes' own
 * controllers do (https://kubernetes.io/docs/concepts/architecture/leases/), and on one machine through a lock, so that
 * the next daemon there need not wait for the Lease of one that was killed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CoordinationV1Api, V1Lease } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { ConfigError, UnavailableError } from '../../errors.ts';
import { every } from '../../every.ts';
import { describeApiError, isStatus } from '../../kubernetes/api-error.ts';
import { createAbandonmentWatch, leaseObject } from './lease-object.ts';

const RENEW_MS = 5_000;
const LOOK_MS = 1_000;
// A call lasts 5 s at most: what begins now is over before another daemon may take the Lease, 15 s after its renewal.
const SURE_MS = 10_000;

export interface LeaseParts {
  leases: CoordinationV1Api;
  namespace: string;
  /** Who we are; the next daemon of this name takes the Lease over at once. */
  identity: string;
  /** Takes what is called so for this process, among all of our identity; false if another has it. */
  lock: (what: string) => Promise<boolean>;
  /** Milliseconds, of a clock that nobody sets. */
  now: () => number;
  /** Told why the Lease is not ours yet. */
  waiting: (reason: string) => void;
  /** Another daemon has it: this one must not act any more. */
  lost: (holder: string) => void;
  log: Logger;
}

export interface HeldLease {
  /**
   * Call it before anything that would harm the sessions of another daemon: this one may have slept.
   * @throws {UnavailableError} if the Lease is not ours any more, or nobody can tell
   */
  confirm(): Promise<void>;
  /** Lets another daemon have it at once. */
  release(): Promise<void>;
}

/**
 * Resolves when the Lease is ours, and keeps it from then on. While the API is away nobody else can take it.
 * @throws {ConfigError} if another process of this machine works in the namespace
 */
export async function holdLease(parts: LeaseParts): Promise<HeldLease> {
  const { namespace, identity, now, waiting, log } = parts;
  const object = leaseObject(parts.leases, namespace);
  const isAbandoned = createAbandonmentWatch(now);
  let locked: string | undefined;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let underway: Promise<void> | undefined;
  let failing = false;
  let over: string | undefined;

  async function isLocked({ metadata }: V1Lease): Promise<boolean> {
    if (metadata?.uid !== locked && (await parts.lock(`lease ${metadata?.uid}`))) locked = metadata?.uid;
    return metadata?.uid === locked;
  }

  async function claim(seen: V1Lease): Promise<void> {
    const at = now();
    await object.write(seen, identity);
    renewedAt = at;
  }

  async function acquire(): Promise<boolean> {
    const seen = await object.read();
    if (!(await isLocked(seen)))
      throw new ConfigError(`another daemon of this machine works in namespace ${namespace}`);
    const holder = seen.spec?.holderIdentity;
    if (holder && holder !== identity && !isAbandoned(seen)) {
      waiting(`another daemon, ${holder}, works in namespace ${namespace}`);
      return false;
    }
    await claim(seen);
    return true;
  }

  async function keep(): Promise<void> {
    const seen = await object.read();
    const holder = seen.spec?.holderIdentity;
    if (holder && holder !== identity) throw lose(holder);
    if (!(await isLocked(seen))) throw lose('another of this machine');
    await claim(seen);
  }

  function lose(holder: string): UnavailableError {
    over = `another daemon, ${holder}, works in namespace ${namespace}`;
    stop();
    parts.lost(holder);
    return new UnavailableError(over);
  }

  async function renew(): Promise<void> {
    try {
      // 409: somebody wrote in between, and the next look tells who.
      await keep().catch((error) => (isStatus(error, 409) ? keep() : Promise.reject(error)));
      if (failing) log.info('the lease is renewed again');
      failing = false;
    } catch (error) {
      if (over === undefined && !failing)
        log.warn({ reason: describeApiError(error) }, 'the lease can not be renewed');
      failing = true;
      throw error;
    }
  }

  function renewOnce(): Promise<void> {
    underway ??= renew().finally(() => {
      underway = undefined;
    });
    return underway;
  }

  for (let told = ''; ; await sleep(LOOK_MS)) {
    try {
      if (await acquire()) break;
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      if (isStatus(error, 409)) continue;
      const reason = describeApiError(error);
      waiting(reason);
      if (reason !== told) log.warn({ reason }, 'the lease can not be taken yet');
      told = reason;
    }
  }
  const stop = every(RENEW_MS, renewOnce, () => {}); // has been logged

  return {
    async confirm() {
      while (over === undefined && now() - renewedAt > SURE_MS) {
        await renewOnce().catch((error) => {
          throw new UnavailableError(`the lease can't be renewed: ${describeApiError(error)}`);
        });
      }
      if (over !== undefined) throw new UnavailableError(over);
    },
    async release() {
      over ??= 'this daemon is being stopped';
      stop();
      await underway?.catch(() => {});
      const seen = await object.read();
      if (seen.spec?.holderIdentity === identity) await object.write(seen, '');
    },
  };
}

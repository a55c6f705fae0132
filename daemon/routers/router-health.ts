import type { Mode } from '../public-url.ts';
import { isAbsent, type RouterClient, type RouterHealth } from './router-client.ts';

/** How one router is. */
export interface HealthCheck {
  /**
   * Asks it. Rejects also if it leads to sessions in another way than the daemon tells visitors.
   * @param again whether it is asked a second time should it not answer
   */
  ask(again: boolean): Promise<RouterHealth>;
  /** What it said last. */
  last(): RouterHealth | undefined;
  /** Since when it has not said how it is, though somebody may be there; on the clock of `now`. */
  silentSince(): number | undefined;
}

export function createHealthCheck(client: RouterClient, mode: Mode, now: () => number): HealthCheck {
  let last: RouterHealth | undefined;
  let silentSince: number | undefined;

  // A machine that starts a hundred programs at once may be late for a moment.
  async function healthOrRetry(again: boolean): Promise<RouterHealth> {
    return client.health().catch((error: Error) => {
      if (!again || isAbsent(error)) throw error;
      return client.health();
    });
  }

  return {
    async ask(again) {
      try {
        last = await healthOrRetry(again);
        silentSince = undefined;
      } catch (error) {
        silentSince = isAbsent(error as Error) ? undefined : (silentSince ?? now());
        throw error;
      }
      if (last.mode !== mode) throw new Error(otherMode(last.mode, mode));
      return last;
    },
    last: () => last,
    silentSince: () => silentSince,
  };
}

function otherMode(its: Mode, ours: Mode): string {
  return `serves mode ${its}, --public-url says ${ours}: give it and the daemon the same --public-url and --keep-prefix`;
}

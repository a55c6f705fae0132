import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Routers } from './routers/routers.ts';
import type { Runtime } from './runtime/runtime.ts';

const LOOK_MS = 100;
const TELL_AFTER_MS = 10_000;

/**
 * The end of what a session leaves behind. Its address is used again only when no router can lead there any more, so
 * nobody ever meets the wrong session. Where the address outlives the app, the app is ended at once and the address is
 * freed later; where both go together, they go when every router has let go of the route.
 */
export interface Cleanup {
  /** Ends the app, unless only its address is left. Rejects, to be tried again, if something of it can't be ended. */
  endApp(id: string): Promise<void>;
  /** Frees the addresses that no router leads or is connected to. Call it again and again. */
  release(): Promise<void>;
}

export function createCleanup(
  runtime: Runtime,
  routers: Pick<Routers, 'isSettled' | 'activity'>,
  log: Logger,
): Cleanup {
  const pending = new Set<string>();

  // A router that hangs is started again by whoever watches over it, or leaves the list of routers.
  async function routersLetGo(id: string): Promise<void> {
    for (let waitedMs = 0; !routers.isSettled(id); waitedMs += LOOK_MS) {
      if (waitedMs === TELL_AFTER_MS) {
        log.warn(
          { session: id },
          'an ended session is kept: a router that hangs may still lead to its address',
        );
      }
      await sleep(LOOK_MS, undefined, { ref: false });
    }
  }

  return {
    async endApp(id) {
      if (pending.has(id)) return;
      if (!runtime.keepsAddress) await routersLetGo(id);
      await runtime.delete(id);
      // Otherwise nothing is left, and what appears under this id later (a create that was long on its way) has to go too.
      if (runtime.keepsAddress) pending.add(id);
    },
    async release() {
      const candidates = [...pending].filter(routers.isSettled);
      if (candidates.length === 0) return;
      const { sessions, quiet } = await routers.activity();
      if (!quiet) return;
      for (const id of candidates) {
        if ((sessions.get(id)?.active ?? 0) > 0) continue;
        await runtime.release(id);
        pending.delete(id);
      }
    },
  };
}

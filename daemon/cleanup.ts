import type { Routers } from './routers/routers.ts';
import type { Runtime } from './runtime/runtime.ts';

/**
 * The end of what a session leaves behind, in two steps: its app is ended at once, but its address is used again only
 * when no router can reach it any more. So nobody ever meets the wrong session.
 */
export interface Cleanup {
  /** Ends the app, unless that is done already. Rejects, to be tried again, if something of it can't be ended. */
  endApp(id: string): Promise<void>;
  /** Whether its app is ended and its address is not free yet. */
  isPending(id: string): boolean;
  /** Frees the addresses that no router leads or is connected to. Call it again and again. */
  release(): Promise<void>;
}

export function createCleanup(runtime: Runtime, routers: Pick<Routers, 'isSettled' | 'activity'>): Cleanup {
  const pending = new Set<string>();
  return {
    async endApp(id) {
      if (pending.has(id)) return;
      await runtime.delete(id);
      pending.add(id);
    },
    isPending: (id) => pending.has(id),
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

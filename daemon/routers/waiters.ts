/** What became of one wish: the router holds it, has no room for it, may not lead there, or could not be told. */
export type Applied = 'ok' | 'full' | 'refused' | 'down';

/** Those who wait until a router was told of a session's wish of some version or a later one. */
export interface Waiters {
  wait(id: string, version: number): Promise<Applied>;
  /** Tells those who wait for this version or an earlier one. */
  settle(id: string, version: number, applied: Applied): void;
  settleAll(applied: Applied): void;
}

interface Waiter {
  version: number;
  settle: (applied: Applied) => void;
}

export function createWaiters(): Waiters {
  const waiters = new Map<string, Waiter[]>();

  function settle(id: string, version: number, applied: Applied): void {
    const waiting = waiters.get(id) ?? [];
    const later = waiting.filter((waiter) => waiter.version > version);
    if (later.length > 0) waiters.set(id, later);
    else waiters.delete(id);
    for (const waiter of waiting) {
      if (waiter.version <= version) waiter.settle(applied);
    }
  }

  return {
    wait: (id, version) =>
      new Promise((resolve) => {
        waiters.set(id, [...(waiters.get(id) ?? []), { version, settle: resolve }]);
      }),
    settle,
    settleAll(applied) {
      for (const id of [...waiters.keys()]) settle(id, Number.POSITIVE_INFINITY, applied);
    },
  };
}

/**
 * Runs work by key: one at a time for a key, any number of keys at once. Asking twice for what has not begun is
 * asking once; work that throws is done again after a pause that doubles.
 */
export interface WorkQueue {
  /** Does the queue's work for `key`, after `delayMs`. */
  add(key: string, delayMs?: number): void;
  /** Does other work in the same line: nothing else runs for `key` meanwhile. */
  exclusive<T>(key: string, work: () => Promise<T>): Promise<T>;
  close(): void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
// setTimeout takes more for 1 ms.
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export function createWorkQueue(
  work: (key: string) => Promise<void>,
  failed: (key: string, error: Error) => void,
): WorkQueue {
  const lines = new Map<string, Promise<unknown>>();
  const waiting = new Set<string>();
  const timers = new Map<string, NodeJS.Timeout>();
  const failures = new Map<string, number>();
  let closed = false;

  function exclusive<T>(key: string, job: () => Promise<T>): Promise<T> {
    const mine = (lines.get(key) ?? Promise.resolve()).then(job);
    const settled = mine.then(
      () => {},
      () => {},
    );
    lines.set(key, settled);
    void settled.then(() => {
      if (lines.get(key) === settled) lines.delete(key);
    });
    return mine;
  }

  function addNow(key: string): void {
    if (closed || waiting.has(key)) return;
    waiting.add(key);
    void exclusive(key, async () => {
      waiting.delete(key);
      if (closed) return;
      try {
        await work(key);
        failures.delete(key);
      } catch (error) {
        const times = failures.get(key) ?? 0;
        failures.set(key, times + 1);
        failed(key, error as Error);
        add(key, Math.min(FIRST_PAUSE_MS * 2 ** times, LONGEST_PAUSE_MS));
      }
    });
  }

  function add(key: string, delayMs = 0): void {
    if (delayMs <= 0) {
      addNow(key);
      return;
    }
    clearTimeout(timers.get(key));
    const timer = setTimeout(
      () => {
        timers.delete(key);
        addNow(key);
      },
      Math.min(delayMs, LONGEST_TIMEOUT_MS),
    );
    timers.set(key, timer);
  }

  return {
    add,
    exclusive,
    close() {
      closed = true;
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

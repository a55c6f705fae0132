/** The wish to end, as the terminal or another program utters it. */
export interface Interrupts {
  /** Aborts at the first. */
  first: AbortSignal;
  /** Calls back at each later one. */
  onRepeat: (listener: () => void) => void;
}

/** The terminal interrupts npm and us alike, and npm hands its own interrupt on: one Ctrl-C arrives twice. */
const sameWithinMs = 1_000;

/** From here on, SIGINT, SIGTERM and SIGHUP no longer end this process by themselves. */
export function catchInterrupts(): Interrupts {
  const first = new AbortController();
  const listeners: (() => void)[] = [];
  let firstAt = 0;
  const interrupted = () => {
    if (!first.signal.aborted) {
      firstAt = performance.now();
      first.abort();
    } else if (performance.now() - firstAt > sameWithinMs) {
      for (const listener of listeners) listener();
    }
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupted);
  return { first: first.signal, onRepeat: (listener) => listeners.push(listener) };
}

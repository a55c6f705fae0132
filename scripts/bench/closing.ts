import { once } from 'node:events';

/** Has something ended together with the measurement. */
export type OnEnd = (close: () => unknown) => void;

/**
 * Runs a measurement, and ends what it started, the last first, whatever became of it. Rejects at an interrupt; what
 * is started after that is ended at once.
 */
export async function withClosing<T>(abort: AbortSignal, work: (onEnd: OnEnd) => Promise<T>): Promise<T> {
  const closings: (() => unknown)[] = [];
  let ended = false;
  const interrupted = async (): Promise<never> => {
    if (!abort.aborted) await once(abort, 'abort');
    throw abort.reason;
  };
  try {
    abort.throwIfAborted();
    const measured = work((close) => (ended ? void close() : closings.push(close)));
    return await Promise.race([measured, interrupted()]);
  } finally {
    ended = true;
    for (const close of closings.reverse()) await close();
  }
}

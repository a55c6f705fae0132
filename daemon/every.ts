/**
 * Runs `work` now and every `ms`, never twice at a time. A failed run is told and the next one comes all the same.
 * The answer stops it.
 */
export function every(ms: number, work: () => Promise<void>, failed: (error: Error) => void): () => void {
  let busy = false;
  const run = async () => {
    if (busy) return;
    busy = true;
    await work().catch(failed);
    busy = false;
  };
  const timer = setInterval(run, ms);
  timer.unref();
  void run();
  return () => clearInterval(timer);
}

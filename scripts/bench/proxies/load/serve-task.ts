/** The other side of load/task.ts: what a load program was told, and when to begin. */

export function argumentOf<T>(): T {
  return JSON.parse(process.argv[2] ?? '');
}

/** Says that all is prepared, does the work when told to, and answers with what came of it. */
export function serveTask(work: () => Promise<unknown>): void {
  process.once('message', async () => process.send?.(await work()));
  process.once('disconnect', () => process.exit());
  process.send?.('ready');
}

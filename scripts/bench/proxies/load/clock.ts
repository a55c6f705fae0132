/** Milliseconds on a clock that is the same in all threads, which `performance.now` is not. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

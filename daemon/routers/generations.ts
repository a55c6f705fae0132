/**
 * Numbers for writes to routers: each larger than all before, also across restarts of the daemon.
 * They follow the clock so that a new daemon starts above the old one; should the clock have gone back, `observe`
 * lifts them above what a router has seen.
 */
export interface Generations {
  next(): number;
  observe(seen: number): void;
}

const PER_MS = 1000;

export function createGenerations(now: () => number): Generations {
  let last = 0;
  return {
    next() {
      last = Math.max(last + 1, now() * PER_MS);
      return last;
    },
    observe(seen) {
      last = Math.max(last, seen);
    },
  };
}

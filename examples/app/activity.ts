/** What Spawner asks of an app at GET /status. */
export interface Status {
  active_connections: number;
  seconds_inactive: number;
  listening: true;
}

/** Counts live connections. `now` gives seconds from a clock that never goes back. */
export function createActivity(now: () => number): { begin: () => () => void; status: () => Status } {
  let active = 0;
  let lastUse = now();
  return {
    /** Call at a connection's start, and what it returns once at its end. */
    begin: () => {
      active++;
      return () => {
        active--;
        lastUse = now();
      };
    },
    status: () => ({
      active_connections: active,
      seconds_inactive: active > 0 ? 0 : Math.floor(now() - lastUse),
      listening: true,
    }),
  };
}

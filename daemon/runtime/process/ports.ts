/** The ports sessions may get. Handed out in turn, so that a port rests as long as possible before it is used again. */
export interface Ports {
  /** Undefined when every port is in use. Ports that are not free, because a stranger uses them, are passed over. */
  take(isFree: (port: number) => Promise<boolean>): Promise<number | undefined>;
  /** Marks a port that an adopted session holds. */
  hold(port: number): void;
  free(port: number): void;
}

export function createPorts(first: number, last: number): Ports {
  const held = new Set<number>();
  let next = first;
  return {
    async take(isFree) {
      for (let tried = first; tried <= last; tried++) {
        const port = next;
        next = port === last ? first : port + 1;
        if (held.has(port)) continue;
        held.add(port);
        if (await isFree(port)) return port;
        held.delete(port);
      }
      return undefined;
    },
    hold: (port) => void held.add(port),
    free: (port) => void held.delete(port),
  };
}

/** The ports sessions may get. Handed out in turn, so that a port rests as long as possible before it is used again. */
export interface Ports {
  /** Undefined when every port is in use. `isTaken` tells of ports that a stranger uses: those are passed over. */
  take(isTaken: (port: number) => boolean): number | undefined;
  /** Marks a port that an adopted session holds. */
  hold(port: number): void;
  free(port: number): void;
}

export function createPorts(first: number, last: number): Ports {
  const held = new Set<number>();
  let next = first;
  return {
    take(isTaken) {
      for (let tried = first; tried <= last; tried++) {
        const port = next;
        next = port === last ? first : port + 1;
        if (held.has(port) || isTaken(port)) continue;
        held.add(port);
        return port;
      }
      return undefined;
    },
    hold: (port) => void held.add(port),
    free: (port) => void held.delete(port),
  };
}

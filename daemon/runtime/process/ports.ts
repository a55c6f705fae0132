/** The ports sessions may get. The one that rested longest comes first, so that it is known to be nobody's any more. */
export interface Ports {
  /**
   * One of those that are wanted, if there is one; undefined when every port is in use. Ports that are not free,
   * because a stranger uses them, are passed over.
   */
  take(
    isWanted: (port: number) => boolean,
    isFree: (port: number) => Promise<boolean>,
  ): Promise<number | undefined>;
  /** Marks a port that an adopted session holds. */
  hold(port: number): void;
  free(port: number): void;
}

export function createPorts(first: number, last: number): Ports {
  // In the order in which they began to rest.
  const resting = new Set(Array.from({ length: last - first + 1 }, (_, index) => first + index));
  return {
    async take(isWanted, isFree) {
      const all = [...resting];
      for (const port of [...all.filter(isWanted), ...all.filter((other) => !isWanted(other))]) {
        if (!resting.delete(port)) continue;
        if (await isFree(port)) return port;
        resting.add(port);
      }
      return undefined;
    },
    hold: (port) => void resting.delete(port),
    free(port) {
      // A session of an earlier daemon may have one of another range.
      if (first <= port && port <= last) resting.add(port);
    },
  };
}

/**
 * Who uses which address, so that none is ever that of two sessions: where addresses are given out by others, news of
 * an end may come after news of the next user.
 */
export interface Addresses {
  /** The session that was at this address before, while visitors may still be led there for its sake. */
  otherUser(id: string, address: string): string | undefined;
  /** From now on the address is this session's. */
  use(id: string, address: string): void;
}

/** @param isLedTo whether a router may still lead visitors of the session to the address */
export function createAddresses(isLedTo: (id: string, address: string) => boolean): Addresses {
  const users = new Map<string, string>();
  return {
    otherUser(id, address) {
      const user = users.get(address);
      return user !== undefined && user !== id && isLedTo(user, address) ? user : undefined;
    },
    use(id, address) {
      users.set(address, id);
    },
  };
}

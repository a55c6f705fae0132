import type { Socket } from 'node:net';

/** What arrives on a socket, as latin1: one character a byte. */
export interface Bytes {
  /** All that comes up to `mark` and with it; undefined if the other side ends before. */
  until(mark: string): Promise<string | undefined>;
  /** As many bytes; undefined if the other side ends before. */
  exactly(count: number): Promise<string | undefined>;
  /** The next bytes, however many; undefined at the end. */
  some(): Promise<string | undefined>;
  /** Everything until the other side ends. */
  rest(): Promise<string>;
  /** How the other side went: by FIN (`end`) or by RST or a broken connection (`reset`). */
  ended: Promise<'end' | 'reset'>;
}

/** Reads a socket on demand: what nobody asks for stays in the kernel, so that the sender feels it. */
export function readBytes(socket: Socket): Bytes {
  let held = '';
  let over = false;
  let wake = () => {};
  const { promise: ended, resolve: end } = Promise.withResolvers<'end' | 'reset'>();
  const finish = (how: 'end' | 'reset') => {
    over = true;
    end(how);
    wake();
  };
  socket.on('readable', () => wake());
  socket.once('end', () => finish('end'));
  socket.once('error', () => finish('reset'));
  socket.once('close', () => finish('reset'));

  /** Waits for more; false at the end. */
  async function more(): Promise<boolean> {
    for (;;) {
      const chunk: Buffer | null = socket.read();
      if (chunk !== null) {
        held += chunk.toString('latin1');
        return true;
      }
      if (over) return false;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  function take(count: number): string {
    const taken = held.slice(0, count);
    held = held.slice(count);
    return taken;
  }

  return {
    ended,
    async until(mark) {
      for (;;) {
        const at = held.indexOf(mark);
        if (at >= 0) return take(at + mark.length);
        if (!(await more())) return undefined;
      }
    },
    async exactly(count) {
      while (held.length < count) {
        if (!(await more())) return undefined;
      }
      return take(count);
    },
    async some() {
      return held !== '' || (await more()) ? take(held.length) : undefined;
    },
    async rest() {
      while (await more()) {
        // All of it is wanted.
      }
      return take(held.length);
    },
  };
}

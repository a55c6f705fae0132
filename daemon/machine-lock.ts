import { createHash } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Takes `what` for this process alone, among those of this machine. An abstract unix socket (unix(7)): the kernel takes
 * it away with the process, however that ends.
 * @returns false if another process has it
 */
export async function takeMachineLock(what: string): Promise<boolean> {
  // The name of a socket is short.
  const name = createHash('sha256').update(what).digest('hex');
  const server = createServer((socket) => socket.destroy()).unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen(`\0spawner-${name}`, () => resolve(true));
  });
}

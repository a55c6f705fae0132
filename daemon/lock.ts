import { createServer, type Server } from 'node:net';
import { ConfigError } from './errors.ts';

/**
 * Makes sure that no other daemon works with the same folder. The lock is an abstract unix socket (unix(7)): the
 * kernel takes it away with the process, however that ends.
 * @throws {ConfigError} if another daemon holds it
 */
export async function lockFolder(folder: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(taken ? new ConfigError(`--state-dir ${folder} is in use by another daemon`) : error);
    });
    server.listen(`\0spawner:${folder}`, resolve);
  });
  return server.unref();
}

import { createHash } from 'node:crypto';
import { lstat, mkdir, realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { ConfigError } from './errors.ts';

/**
 * Makes the folder if it is missing, and takes it for this daemon alone. What lies in it decides which processes are
 * ended, so nobody else may write to it.
 * @throws {ConfigError} if it belongs to somebody else, is open to others, or another daemon works with it
 */
export async function takeStateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: Error) => {
    throw new ConfigError(`--state-dir ${folder} can't be made: ${error.message}`);
  });
  const found = await lstat(folder);
  if (!found.isDirectory()) throw new ConfigError(`--state-dir ${folder} is not a folder`);
  if (found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new ConfigError(`--state-dir ${folder} must be yours and writable by you alone (chmod 700)`);
  }
  await lock(folder);
}

// An abstract unix socket (unix(7)): the kernel takes it away with the process, however that ends. Its name is short.
async function lock(folder: string): Promise<void> {
  const name = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex');
  const server = createServer((socket) => socket.destroy()).unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(taken ? new ConfigError(`--state-dir ${folder} is in use by another daemon`) : error);
    });
    server.listen(`\0spawner-${name}`, resolve);
  });
}

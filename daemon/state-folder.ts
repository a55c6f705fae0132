import { lstat, mkdir, realpath } from 'node:fs/promises';
import { ConfigError } from './errors.ts';
import { takeMachineLock } from './machine-lock.ts';

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
  if (!(await takeMachineLock(await realpath(folder)))) {
    throw new ConfigError(`--state-dir ${folder} is in use by another daemon`);
  }
}

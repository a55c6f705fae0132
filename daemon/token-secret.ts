import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from './errors.ts';

/**
 * The secret that access tokens are made from, kept in the folder; made if there is none yet.
 * @param folder the daemon's alone
 * @throws {ConfigError} if the file holds something else
 */
export async function keptSecret(folder: string): Promise<string> {
  const file = path.join(folder, 'token-secret');
  const known = await read(file);
  if (known === undefined) return make(file);
  if (!/^[\w-]{43}$/.test(known)) {
    throw new ConfigError(`${file} is no secret: remove it, which makes all access tokens invalid`);
  }
  return known;
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`${file} can't be read: ${(error as Error).message}`);
  }
}

// Whole or not at all, should we be killed.
async function make(file: string): Promise<string> {
  const secret = randomBytes(32).toString('base64url');
  await writeFile(`${file}.tmp`, secret, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
  return secret;
}

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Router } from './router.ts';

/** Puts a statement before another one of a router's bundle, to widen a moment that a test is about; reloads. */
export async function insertBefore(router: Router, statement: string, inserted: string): Promise<void> {
  const bundle = join(router.directory, 'spawner.js');
  const text = await readFile(bundle, 'utf8');
  if (!text.includes(statement)) {
    throw new Error(`the bundle has no ${statement}`);
  }
  await writeFile(
    bundle,
    text.replace(statement, () => `${inserted} ${statement}`),
  );
  await router.reload();
}

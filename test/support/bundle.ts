import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hotBundleOf } from '../../scripts/router-settings.ts';
import type { Router } from './router.ts';

/** Puts a statement before another one of a router's bundles, to widen a moment that a test is about; reloads. */
export async function insertBefore(router: Router, statement: string, inserted: string): Promise<void> {
  await replaceInBundles(router, [[statement, `${inserted} ${statement}`]]);
}

/** Has new workers run the same bundles with other texts in them. Each text must be in one of them. */
export async function replaceInBundles(router: Router, texts: [string | RegExp, string][]): Promise<void> {
  const main = join(router.directory, 'spawner.js');
  const paths = [main, hotBundleOf(main)];
  const bundles = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  for (const [wanted] of texts) {
    if (!bundles.some((bundle) => bundle !== replaced(bundle, wanted, '')))
      throw new Error(`no bundle has ${wanted}`);
  }
  for (const [index, path] of paths.entries()) {
    const edited = texts.reduce((text, [wanted, by]) => replaced(text, wanted, by), bundles[index] as string);
    await writeFile(path, edited);
  }
  await router.reload();
}

function replaced(text: string, wanted: string | RegExp, by: string): string {
  return text.replaceAll(typeof wanted === 'string' ? wanted : new RegExp(wanted, 'g'), () => by);
}

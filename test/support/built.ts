/**
 * The bundles of the sources as they are. esbuild is a program of its own for each test file that builds, which takes
 * longer than what it does: so the first one builds, and the others find that by its sources.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildBundle, buildSidecar } from '../../scripts/build.ts';
import { root } from '../../scripts/nginx.ts';
import { hotBundleOf } from '../../scripts/router-settings.ts';

const kept = join(root, '.cache', 'bundles');
const OLD_MS = 24 * 60 * 60_000;
const ROUTER = 'spawner.js';
const SIDECAR = 'sidecar.js';

/** As `buildBundle`, to be edited as one likes. */
export async function copyBundle(outfile: string): Promise<void> {
  const router = join(await built(), ROUTER);
  await copyFile(router, outfile);
  await copyFile(hotBundleOf(router), hotBundleOf(outfile));
}

/** As `buildSidecar`. */
export async function copySidecar(outfile: string): Promise<void> {
  await copyFile(join(await built(), SIDECAR), outfile);
}

async function built(): Promise<string> {
  const folder = join(kept, sources());
  if (existsSync(folder)) return folder;
  await mkdir(kept, { recursive: true });
  await removeOld();
  const fresh = await mkdtemp(join(kept, 'new-'));
  await buildBundle(join(fresh, ROUTER));
  await buildSidecar(join(fresh, SIDECAR));
  await rename(fresh, folder).catch(async (error) => {
    await rm(fresh, { recursive: true });
    // Another test file was quicker.
    if (!existsSync(folder)) throw error;
  });
  return folder;
}

/** Nobody uses what was built so long ago of other sources, or was never built to its end. */
async function removeOld(): Promise<void> {
  for (const name of await readdir(kept)) {
    const folder = join(kept, name);
    // What is being built may have its name by now.
    const { mtimeMs = Infinity } = statSync(folder, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > OLD_MS) await rm(folder, { recursive: true, force: true });
  }
}

/** Says what they are built of. */
function sources(): string {
  const njs = readdirSync(join(root, 'njs')).map((name) => join('njs', name));
  const hash = createHash('sha256');
  for (const path of [...njs, 'scripts/build.ts', 'package-lock.json'])
    hash.update(`${path}\n`).update(readFileSync(join(root, path)));
  return hash.digest('hex').slice(0, 16);
}

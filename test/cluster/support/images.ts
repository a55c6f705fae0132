import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importImage } from '../../../scripts/cluster/images.ts';
import { buildImages } from '../../../scripts/images/images.ts';

/** Brings the router with the nginx of Debian testing into our own cluster. Returns the tag of its image. */
export async function importCurrentRouter(): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), 'spawner-images-'));
  const tag = 'current';
  try {
    const { router } = await buildImages({ out, line: 'current', tag, say: () => {} });
    await importImage(router.archive);
  } finally {
    await rm(out, { recursive: true });
  }
  return tag;
}

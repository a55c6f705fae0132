/** Builds dist/router: the router's njs bundle, with the two files to include at their defaults. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { renderRouter, writeFiles } from './render.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export const ROUTER_DIRECTORY = join(ROOT, 'dist', 'router');
export const ROUTER_BUNDLE = join(ROUTER_DIRECTORY, 'spawner.js');

/** Writes the njs bundle to `outfile`. Throws, with esbuild's message on stderr, if the sources do not build. */
export async function buildBundle(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(ROOT, 'njs', 'main.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    external: ['fs'],
    charset: 'utf8',
    target: 'es2017',
    // What the native engine does not know and esbuild can't lower is an error here, not in nginx.
    supported: {
      class: false,
      destructuring: false,
      'for-of': false,
      'default-argument': false,
      generator: false,
      'array-spread': false,
    },
    logLevel: 'warning',
  });
}

if (import.meta.main) {
  await buildBundle(ROUTER_BUNDLE);
  await writeFiles(ROUTER_DIRECTORY, renderRouter({}));
}

/** Builds dist/router: the njs bundles of router and sidecar, and the router's two files to include at their defaults. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { renderRouter, writeFiles } from './render.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export const ROUTER_DIRECTORY = join(ROOT, 'dist', 'router');
export const ROUTER_BUNDLE = join(ROUTER_DIRECTORY, 'spawner.js');

const NJS: BuildOptions = {
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  external: ['crypto', 'fs'],
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
};

/** Turns `export function rare()` of njs/rare.ts into a function that holds its whole bundle: see njs/main.ts. */
const rareInside: Plugin = {
  name: 'rare-inside',
  setup({ onLoad }) {
    onLoad({ filter: /\/njs\/rare\.ts$/ }, async ({ path }) => {
      const { outputFiles } = await build({ ...NJS, entryPoints: [path], write: false });
      const text = outputFiles[0]?.text ?? '';
      const imports = text.match(/^import .*;$/gm) ?? [];
      const body = text
        .replace(/^import .*;$/gm, '')
        .replace(/^export \{\n {2}rare\n\};$/m, 'return rare();');
      return { contents: `${imports.join('\n')}\nexport function rare() {\n${body}}\n` };
    });
  },
};

/** Writes the njs bundle to `outfile`. Throws, with esbuild's message on stderr, if the sources do not build. */
export async function buildBundle(outfile: string): Promise<void> {
  await build({ ...NJS, entryPoints: [join(ROOT, 'njs', 'main.ts')], outfile, plugins: [rareInside] });
}

/** The same for the sidecar's bundle. */
export async function buildSidecar(outfile: string): Promise<void> {
  await build({ ...NJS, entryPoints: [join(ROOT, 'njs', 'sidecar.ts')], outfile });
}

if (import.meta.main) {
  await buildBundle(ROUTER_BUNDLE);
  await buildSidecar(join(ROUTER_DIRECTORY, 'sidecar.js'));
  await writeFiles(ROUTER_DIRECTORY, renderRouter({}));
}

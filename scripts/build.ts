/** Builds dist/router: the njs bundles of router and sidecar, and the router's two files to include at their defaults. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { renderRouter, writeFiles } from './render.ts';
import { hotBundleOf } from './router-settings.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export const ROUTER_DIRECTORY = join(ROOT, 'dist', 'router');
export const ROUTER_BUNDLE = join(ROUTER_DIRECTORY, 'spawner.js');

const NJS: BuildOptions = {
  bundle: true,
  format: 'esm',
  platform: 'neutral',
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

/** Modules of njs. What nobody uses of them is not imported: that, too, would be done for each request. */
const njsModules: Plugin = {
  name: 'njs-modules',
  setup({ onResolve }) {
    onResolve({ filter: /^(crypto|fs)$/ }, ({ path }) => ({ path, external: true, sideEffects: false }));
  },
};

/** Turns the one function of each njs/rare*.ts into one that holds its whole bundle: see njs/hot.ts. */
function rareInside(outer?: string): Plugin {
  return {
    name: 'rare-inside',
    setup({ onLoad }) {
      onLoad({ filter: /\/njs\/rare[\w-]*\.ts$/ }, async ({ path }) => {
        if (path === outer) return undefined;
        const { outputFiles } = await build({ ...njsOptions(path), entryPoints: [path], write: false });
        const text = outputFiles[0]?.text ?? '';
        const [exported, name] = /^export \{\n {2}(\w+)\n\};$/m.exec(text) ?? [];
        if (!exported) throw new Error(`${path} exports other than one function`);
        const imports = text.match(/^import .*;$/gm) ?? [];
        const body = text.replace(/^import .*;$/gm, '').replace(exported, `return ${name}();`);
        return { contents: `${imports.join('\n')}\nexport function ${name}() {\n${body}}\n` };
      });
    },
  };
}

function njsOptions(outer?: string): BuildOptions {
  return { ...NJS, plugins: [njsModules, rareInside(outer)] };
}

/**
 * Writes the router's njs bundle to `outfile`, and the one of its hot path beside it. Throws, with esbuild's message on
 * stderr, if the sources do not build.
 */
export async function buildBundle(outfile: string): Promise<void> {
  await build({ ...njsOptions(), entryPoints: [join(ROOT, 'njs', 'main.ts')], outfile });
  const hot = { entryPoints: [join(ROOT, 'njs', 'hot.ts')], outfile: hotBundleOf(outfile) };
  // Puts constants in where they are used: one thing less each to make for a request.
  await build({ ...njsOptions(), minifySyntax: true, ...hot });
}

/** The same for the sidecar's bundle. */
export async function buildSidecar(outfile: string): Promise<void> {
  await build({ ...njsOptions(), entryPoints: [join(ROOT, 'njs', 'sidecar.ts')], outfile });
}

if (import.meta.main) {
  await buildBundle(ROUTER_BUNDLE);
  await buildSidecar(join(ROUTER_DIRECTORY, 'sidecar.js'));
  await writeFiles(ROUTER_DIRECTORY, renderRouter({}));
}

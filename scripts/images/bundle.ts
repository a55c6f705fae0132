import { build } from 'esbuild';
import { root } from '../nginx.ts';

/** Of the project's programs with packages of npm: one file that runs without node_modules. */
export async function bundle(entry: string, outfile: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // 8 MB less for the daemon to hold. Names stay as they are, for the log.
    minifyWhitespace: true,
    minifySyntax: true,
    // Packages in CommonJS ask for Node's own modules by `require`, which a module has not.
    banner: {
      js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
}

/**
 * What Node is told that runs the daemon. Of its own accord V8 keeps 134 MB for what is new on a whole machine, which
 * saves no work, and 3 MB in a Pod of 512 Mi, which makes much: with 10,000 sessions that ask their apps, 4 MB cost
 * 1.5 times the CPU.
 */
export const daemonNodeFlags: string[] = ['--max-semi-space-size=16'];

export async function bundleDaemon(outfile: string): Promise<void> {
  await bundle('daemon/main.ts', outfile);
}

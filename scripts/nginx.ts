import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** `stable`: the pool-less nginx of Debian stable (1.26, njs 0.8.9); `current`: 1.29.6 and newer. */
export type NginxLine = 'current' | 'stable';

/** An nginx that was tried on this machine. */
export interface Nginx {
  line: NginxLine;
  /** Absolute path of the program. */
  bin: string;
  /** Absolute path for `load_module`, or null when njs is built in. */
  module: string | null;
  /** Such as `1.30.6`. */
  version: string;
  /** Such as `1.0.2`. */
  njs: string;
}

/** The checkout: set-up keeps everything it makes below its `.cache`, `dist` and `node_modules`. */
export const root = join(import.meta.dirname, '..');

export const cache = join(root, '.cache', 'nginx');

/** Where set-up records what it found for a line, or for `npm start` (`default`). */
export function recordPath(name: NginxLine | 'default'): string {
  return join(cache, `${name}.json`);
}

/** The nginx of a line; without one, the nginx that `npm start` runs. Throws when set-up has not run. */
export function nginxFor(line?: NginxLine): Nginx {
  const setup = line ? 'node scripts/setup.js --all-lines' : 'node scripts/setup.js';
  try {
    return JSON.parse(readFileSync(recordPath(line ?? 'default'), 'utf8'));
  } catch {
    throw new Error(`no nginx${line ? ` of the ${line} line` : ''} is set up here yet: run ${setup}`);
  }
}

/** Programs of Debian that the benchmark compares with or measures by, unpacked below `.cache` without root. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { debianPackages } from '../images/packages.ts';

const SUITE = 'trixie';
const PROGRAMS = {
  wrk: { packages: ['wrk'], path: 'usr/bin/wrk' },
  haproxy: { packages: ['haproxy'], path: 'usr/sbin/haproxy' },
  'nginx-lua': { packages: ['libnginx-mod-http-lua', 'nginx'], path: 'usr/sbin/nginx' },
};

/**
 * The words that start a program: its own packages' loader, so that the machine's libraries do not matter.
 * Throws an Error of one line if it can't be had.
 */
export async function debianProgram(name: keyof typeof PROGRAMS): Promise<[string, ...string[]]> {
  const root = await debianRoot(name);
  const libraries = join(root, 'usr', 'lib', nameLike(join(root, 'usr', 'lib'), /-linux-gnu/));
  const loader = join(libraries, nameLike(libraries, /^ld-linux/));
  return [loader, '--library-path', libraries, join(root, PROGRAMS[name].path)];
}

/** What would be `/` where it is installed. */
export async function debianRoot(name: keyof typeof PROGRAMS): Promise<string> {
  const say = (line: string) => console.error(`${name}: ${line}`);
  return (await debianPackages(SUITE, PROGRAMS[name].packages, say)).root;
}

function nameLike(folder: string, pattern: RegExp): string {
  const found = readdirSync(folder).find((name) => pattern.test(name));
  if (!found) throw new Error(`${folder} holds nothing like ${pattern}`);
  return found;
}

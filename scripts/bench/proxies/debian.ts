/** Programs of Debian that the benchmark compares with or measures by, unpacked below `.cache` without root. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianPackages } from '../../images/packages.ts';

const SUITE = 'trixie';
const PROGRAMS = {
  luajit: { packages: ['luajit'], path: 'usr/bin/luajit' },
  wrk: { packages: ['wrk'], path: 'usr/bin/wrk' },
  haproxy: { packages: ['haproxy'], path: 'usr/sbin/haproxy' },
  // Its nginx is the package of the stable line.
  nginx: { packages: ['libnginx-mod-http-lua', 'nginx'], path: 'usr/sbin/nginx' },
};

export interface DebianProgram {
  /** The words that start it: through the loader of its packages, so that the machine's libraries do not matter. */
  command: [string, ...string[]];
  /** What would be `/` where it is installed, absolute. */
  root: string;
  /** Such as `3.0.11`. */
  version: string;
}

/** Throws an Error of one line if it can't be had. */
export async function debianProgram(name: keyof typeof PROGRAMS): Promise<DebianProgram> {
  const { packages, path } = PROGRAMS[name];
  const { root, records } = await debianPackages(SUITE, packages, (line) =>
    console.error(`${name}: ${line}`),
  );
  const libraries = join(root, 'usr', 'lib', nameLike(join(root, 'usr', 'lib'), /-linux-gnu/));
  const loader = join(libraries, nameLike(libraries, /^ld-linux/));
  const control = readFileSync(join(records, name, 'control'), 'utf8');
  return {
    command: [loader, '--library-path', libraries, join(root, path)],
    root,
    version: /^Version: (?:\d+:)?([\d.]+)/m.exec(control)?.[1] ?? '',
  };
}

function nameLike(folder: string, pattern: RegExp): string {
  const found = readdirSync(folder).find((name) => pattern.test(name));
  if (!found) throw new Error(`${folder} holds nothing like ${pattern}`);
  return found;
}

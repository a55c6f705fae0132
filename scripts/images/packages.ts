import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { root as project } from '../nginx.ts';

const cache = join(project, '.cache', 'images');
const script = join(import.meta.dirname, 'packages.sh');

/** Debian packages, unpacked over each other. */
export interface Packages {
  /** Absolute: what would be `/` where they are installed. */
  root: string;
  /** Absolute: a folder for each package, with its `control` and its `files`. */
  records: string;
}

/** A file of an image: `from` is absolute, `to` is relative to the image's root. */
export interface Placed {
  from: string;
  to: string;
}

/**
 * The packages of a suite, with all that they depend on; downloaded once and kept below `.cache`, until somebody
 * removes them there to have newer ones. Throws an Error of one line.
 */
export async function debianPackages(
  suite: string,
  names: string[],
  say: (text: string) => void,
): Promise<Packages> {
  const wanted = createHash('sha256').update(names.join()).update(readFileSync(script)).digest('hex');
  const folder = join(cache, `${suite}-${wanted.slice(0, 8)}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const fresh = mkdtempSync(join(cache, 'new-'));
    try {
      await unpack(suite, names, fresh, say);
      moveUnlessThere(fresh, folder);
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  return { root: join(folder, 'root'), records: join(folder, 'packages') };
}

async function unpack(suite: string, names: string[], to: string, say: (text: string) => void) {
  const child = spawn('bash', [script, suite, to, ...names], { stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  let reason = 'packages.sh failed';
  createInterface(child.stdout).on('line', say);
  createInterface(child.stderr).on('line', (text) => {
    reason = text;
  });
  const [code] = await closed;
  if (code !== 0) throw new Error(reason);
}

/** Another build may have been quicker; its packages are as good. */
function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/**
 * The libraries that a program or library needs to start, the loader among them, all from the packages: what the
 * packages' own loader finds. Throws an Error of one line when one is missing.
 */
export function librariesOf({ root }: Packages, program: string): Placed[] {
  const libraries = join(root, 'usr', 'lib', only(join(root, 'usr', 'lib'), /-linux-gnu/));
  const loader = join(libraries, only(libraries, /^ld-linux/));
  const { stdout, stderr, status } = spawnSync(loader, ['--library-path', libraries, '--list', program], {
    encoding: 'utf8',
  });
  const missing = /(\S+) => not found/.exec(stdout)?.[1];
  if (missing) throw new Error(`${program} needs ${missing}, which no package brings`);
  if (status !== 0) throw new Error(`${program} can't be read: ${stderr.trim()}`);
  return stdout.split('\n').flatMap((line) => {
    const [, name, path] = /^\t(?:(\S+) => )?(\/\S+) \(0x/.exec(line) ?? [];
    if (path === undefined) return [];
    const library = { from: path, to: relative(root, path) };
    // The kernel looks for the loader at the absolute path that a program names.
    return name?.startsWith('/') ? [library, { from: path, to: join('usr', name) }] : [library];
  });
}

/**
 * What says where files came from, for those who scan images for known holes, and for the licenses' sake: the packages'
 * control fields in dpkg's form for parts of a system, and their copyright files.
 */
export function recordsOf(packages: Packages, files: Placed[]): Placed[] {
  const inRoot = new Set(files.map(({ from }) => relative(packages.root, from)).filter(isInside));
  return readdirSync(packages.records)
    .filter((name) =>
      readFileSync(join(packages.records, name, 'files'), 'utf8')
        .split('\n')
        .some((path) => inRoot.has(path.replace(/^\.\//, ''))),
    )
    .flatMap((name) => {
      const copyright = join('usr', 'share', 'doc', name, 'copyright');
      return [
        { from: join(packages.records, name, 'control'), to: join('var', 'lib', 'dpkg', 'status.d', name) },
        { from: join(packages.root, copyright), to: copyright },
      ];
    });
}

function isInside(path: string): boolean {
  return !path.startsWith(`..${sep}`);
}

function only(folder: string, pattern: RegExp): string {
  const found = readdirSync(folder).find((name) => pattern.test(name));
  if (!found)
    throw new Error(`${folder} holds nothing like ${pattern}: remove ${dirname(cache)} and try again`);
  return found;
}

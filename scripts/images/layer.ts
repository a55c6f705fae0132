import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { librariesOf, type Packages, type Placed, recordsOf } from './packages.ts';

/** Whom images run as. Kubernetes can tell that it is not root only from a number. */
export const USER = 65532;

/** Fills `folder` with programs, the libraries they need and the little that C's library looks for; nothing else. */
export function layPrograms(folder: string, packages: Packages, programs: Placed[]): void {
  const libraries = programs.flatMap(({ from }) => librariesOf(packages, from));
  const files = [...programs, ...libraries];
  place(folder, [...files, ...recordsOf(packages, files)]);
  // Debian's layout, which programs' absolute paths count on.
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) symlinkSync(`usr/${name}`, join(folder, name));
  write(folder, 'etc/passwd', `spawner:x:${USER}:${USER}:spawner:/tmp:/usr/sbin/nologin\n`);
  write(folder, 'etc/group', `spawner:x:${USER}:\n`);
  write(folder, 'etc/nsswitch.conf', 'hosts: files dns\n');
  mkdirSync(join(folder, 'tmp'));
}

export function place(folder: string, files: Placed[]): void {
  for (const { from, to } of files) {
    mkdirSync(dirname(join(folder, to)), { recursive: true });
    copyFileSync(from, join(folder, to));
  }
}

export function write(folder: string, to: string, text: string): void {
  mkdirSync(dirname(join(folder, to)), { recursive: true });
  writeFileSync(join(folder, to), text);
}

/** Gives everything the modes that it has in an image, whatever the umask and the modes of the sources. */
export function setModes(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, path === join(folder, 'tmp') ? 0o1777 : 0o755);
    else if (entry.isFile()) chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
  chmodSync(folder, 0o755);
}

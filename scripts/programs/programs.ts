import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../nginx.ts';

/** A program that nobody here wrote, as Debian packages it. */
interface DebianProgram {
  suite: 'forky' | 'trixie';
  packages: string[];
  /** Where it lies in its packages, and what stands before the arguments of whoever runs it. */
  command: string[];
}

/** From Debian stable what is there, the browser with its security fixes above all. */
export const PROGRAMS = {
  chromium: {
    suite: 'trixie',
    packages: ['base-files', 'chromium-headless-shell', 'fonts-dejavu-core'],
    command: ['/usr/lib/chromium/chromium-headless-shell'],
  },
  jupyter: {
    suite: 'trixie',
    packages: ['base-files', 'python3-nbclassic', 'python3-ipykernel'],
    command: ['/usr/bin/jupyter-nbclassic'],
  },
  ttyd: {
    suite: 'forky',
    packages: ['base-files', 'bash', 'coreutils', 'ttyd'],
    command: ['/usr/bin/ttyd'],
  },
} satisfies Record<string, DebianProgram>;

export type ProgramName = keyof typeof PROGRAMS;

/** What starts each of them, once set-up has run. */
export const starters: string = join(root, '.cache', 'programs');

/** A file to execute, absolute: it becomes the program. Throws one line when it is not set up. */
export function program(name: ProgramName): string {
  const path = join(starters, name);
  if (!existsSync(path)) throw new Error(`${name} is not set up here yet: run npm run test:programs`);
  return path;
}

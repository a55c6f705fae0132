import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianPackages } from '../images/packages.ts';
import { PROGRAMS, type ProgramName, starters } from './programs.ts';

const OWN_ROOT = ['unshare', '--map-root-user', '--mount'] as const;
const inside = join(import.meta.dirname, 'inside.sh');

/** Unpacks the programs below `.cache`, once, without root. Throws an Error of one line. */
export async function setUpPrograms(say: (text: string) => void): Promise<void> {
  checkNamespaces();
  mkdirSync(starters, { recursive: true });
  // One after the other: each of them fills the line, and the disk.
  for (const name of Object.keys(PROGRAMS) as ProgramName[]) await setUp(name, say);
}

function checkNamespaces(): void {
  const [unshare, ...flags] = OWN_ROOT;
  if (spawnSync(unshare, [...flags, 'true'], { stdio: 'ignore' }).status === 0) return;
  throw new Error('unshare makes no user and mount namespaces here: install util-linux, or run as root');
}

async function setUp(name: ProgramName, say: (text: string) => void): Promise<void> {
  const { suite, packages, command } = PROGRAMS[name];
  const { root } = await debianPackages(suite, packages, (line) => say(`${name}: ${line}`));
  const words = [...OWN_ROOT, 'sh', inside, root, ...command].map(quoted).join(' ');
  const path = join(starters, name);
  writeFileSync(`${path}.new`, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  renameSync(`${path}.new`, path);
}

/** One word for a shell, whatever it holds. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

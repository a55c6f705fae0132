/** Set-up of `npm run test:programs`: unpacks the programs below `.cache`, once, without root. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianPackages } from '../images/packages.ts';
import { PROGRAMS, type ProgramName, starters } from './programs.ts';

const OWN_ROOT = ['unshare', '--map-root-user', '--mount'];
const inside = join(import.meta.dirname, 'inside.sh');

async function main(): Promise<void> {
  checkNamespaces();
  mkdirSync(starters, { recursive: true });
  // One after the other: each of them fills the line, and the disk.
  for (const name of Object.keys(PROGRAMS) as ProgramName[]) await setUp(name);
}

function checkNamespaces(): void {
  const { status } = spawnSync('unshare', [...OWN_ROOT.slice(1), 'true'], { stdio: 'ignore' });
  if (status === 0) return;
  throw new Error('unshare makes no user and mount namespaces here: install util-linux, or run as root');
}

async function setUp(name: ProgramName): Promise<void> {
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

function say(text: string): void {
  console.log(`# programs: ${text}`);
}

try {
  await main();
} catch (error) {
  console.error(`programs: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

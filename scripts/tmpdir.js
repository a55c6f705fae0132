// Plain JavaScript for setup.js, which runs on the machine's own Node.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** A unix socket's path has at most 107 bytes (unix(7)), and ours take up to 36 of them below TMPDIR. */
const mostBytes = 70;
/** What a run writes there at the least, with a good margin. */
const neededBytes = 1 << 20;

/** Throws one line that names TMPDIR if the scratch folders of nginx and the daemon can't be made in it. */
export function checkTmpdir() {
  const folder = tmpdir();
  const problem = problemOf(folder);
  if (problem) throw new Error(`TMPDIR=${folder} ${problem}: name another folder in TMPDIR`);
}

function problemOf(folder) {
  if (!isAbsolute(folder)) return 'is not an absolute path';
  if (/[\s"'\\;{}$]/.test(folder)) return "has a blank, quote or other character that nginx can't take";
  if (Buffer.byteLength(folder) > mostBytes) {
    return `is too long for unix sockets below it (${mostBytes} bytes at most)`;
  }
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return 'is not a folder';
  return writeProblemOf(folder);
}

function writeProblemOf(folder) {
  let made;
  try {
    made = mkdtempSync(join(folder, 'spawner-try-'));
    writeFileSync(join(made, 'file'), Buffer.alloc(neededBytes));
    return undefined;
  } catch (error) {
    return error.code === 'ENOSPC' ? 'is full' : `can't be written to (${error.code})`;
  } finally {
    if (made) rmSync(made, { recursive: true, force: true });
  }
}

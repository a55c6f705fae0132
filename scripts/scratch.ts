import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identify, isAlive, type ProcessIdentity } from '../daemon/runtime/process/proc.ts';
import { takeStateFolder } from '../daemon/state-folder.ts';
import { endLeftSessions } from './start-programs.ts';

const prefix = 'spawner-run-';
const ownerFile = 'owner.json';

/** Whose a folder is: this process, and the namespace that its pid means something in. */
type Owner = ProcessIdentity & { pidNamespace: string };

/** Makes a folder for this run in `parent`, and removes those of runs that were killed. */
export async function makeScratch(parent: string): Promise<string> {
  for (const name of readdirSync(parent)) {
    // What can't be judged or removed is left alone: it is no reason not to start.
    if (name.startsWith(prefix)) await removeDead(join(parent, name)).catch(() => undefined);
  }
  const folder = mkdtempSync(join(parent, prefix));
  const owner = { ...(await identify(process.pid)), pidNamespace: pidNamespace() };
  await writeFile(join(folder, ownerFile), JSON.stringify(owner));
  return folder;
}

/** Where the daemon of a run keeps its state, unless the user names another folder. */
export function stateDirOf(scratch: string): string {
  return join(scratch, 'state');
}

async function removeDead(folder: string): Promise<void> {
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) return;
  const owner: Owner = JSON.parse(readFileSync(join(folder, ownerFile), 'utf8'));
  if (owner.pidNamespace !== pidNamespace() || (await isAlive(owner))) return;
  const stateDir = stateDirOf(folder);
  if (existsSync(stateDir)) {
    // Rejects while its daemon is still at work.
    await takeStateFolder(stateDir);
    await endLeftSessions(stateDir);
  }
  rmSync(folder, { recursive: true, force: true });
}

function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid');
}

import { setTimeout as sleep } from 'node:timers/promises';
import { bootId, type ProcessIdentity, type ScannedProcess, scanProcesses } from './proc.ts';

// Looking for processes reads all of /proc.
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 200;
// What SIGKILL does not end within this hangs in the kernel, or is not ours to end.
const HOPELESS_MS = 2_000;

/**
 * Ends every process of a session: SIGTERM, and SIGKILL after `graceMs`. Resolves when none is left.
 * @throws {Error} that names the processes which can't be ended
 */
export async function stopSession(
  id: string,
  leader: ProcessIdentity | undefined,
  graceMs: number,
): Promise<void> {
  const known = leader?.bootId === (await bootId()) ? leader : undefined;
  // Both count from the signal and not from the call: on a busy machine the look before it may take seconds.
  let toldAt: number | undefined;
  let killedAt: number | undefined;
  const told = new Set<number>();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const left = membersOf(id, known, await scanProcesses());
    if (left.length === 0) return;
    const now = performance.now();
    toldAt ??= now;
    if (now - toldAt >= graceMs) killedAt ??= now;
    if (killedAt !== undefined && now - killedAt > HOPELESS_MS) {
      throw new Error(`processes that can't be ended: ${left.join(', ')}`);
    }
    for (const pid of left) {
      if (killedAt !== undefined) signal(pid, 'SIGKILL');
      else if (!told.has(pid)) signal(pid, 'SIGTERM');
      told.add(pid);
    }
    await sleep(pauseMs);
  }
}

/**
 * Those that carry the session's id in their environment, and those of the group that its leader began, even if it
 * has ended: the kernel gives a number to nobody else as long as a group has it (credentials(7)).
 */
export function membersOf(
  id: string,
  leader: Pick<ProcessIdentity, 'pid' | 'startTicks'> | undefined,
  processes: ScannedProcess[],
): number[] {
  const bearer = processes.find(({ pid }) => pid === leader?.pid);
  const isGroupOurs = leader !== undefined && (!bearer || bearer.startTicks === leader.startTicks);
  const members = processes.filter(({ group, session, spawnerSession }) => {
    return spawnerSession === id || (isGroupOurs && group === leader.pid && session === leader.pid);
  });
  return members.map(({ pid }) => pid);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended meanwhile, or runs as another user: then it is still there at the next look.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

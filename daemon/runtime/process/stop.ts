import { setTimeout as sleep } from 'node:timers/promises';
import { findByEnvironment, groupMembers, isAlive, type ProcessIdentity } from './proc.ts';

// Looking for processes reads all of /proc.
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 200;

/**
 * Ends every process of a session: the group its leader began, and then those that left the group but still carry
 * the session's id in their environment. SIGTERM, and SIGKILL after `graceMs`. Resolves when none is left.
 */
export async function stopSession(
  id: string,
  leader: ProcessIdentity | undefined,
  graceMs: number,
): Promise<void> {
  const killAt = performance.now() + graceMs;
  // The number of a group whose leader has ended may be somebody else's by now.
  if (leader && (await isAlive(leader))) await endGroup(leader.pid, killAt);
  await endStrays(id, killAt);
}

async function endGroup(group: number, killAt: number): Promise<void> {
  signal(-group, 'SIGTERM');
  // A group of zombies still takes signals, until whoever inherited them cares: so its members are looked at.
  for (let pauseMs = FIRST_PAUSE_MS; signal(-group, 0); pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    if ((await groupMembers(group)).length === 0) return;
    if (performance.now() >= killAt) signal(-group, 'SIGKILL');
    await sleep(pauseMs);
  }
}

async function endStrays(id: string, killAt: number): Promise<void> {
  const find = () => findByEnvironment((entries) => entries.includes(`SPAWNER_SESSION_ID=${id}`));
  const told = new Set<number>();
  let pauseMs = FIRST_PAUSE_MS;
  for (let left = await find(); left.length > 0; left = await find()) {
    const kill = performance.now() >= killAt;
    for (const pid of left) {
      if (kill || !told.has(pid)) signal(pid, kill ? 'SIGKILL' : 'SIGTERM');
      told.add(pid);
    }
    await sleep(pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** False if nobody is there. A negative number names a group. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

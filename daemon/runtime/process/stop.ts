import { setTimeout as sleep } from 'node:timers/promises';
import { findByEnvironment, groupMembers, isAlive, type ProcessIdentity } from './proc.ts';

const POLL_MS = 20;

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
  while (exists(-group)) {
    if (performance.now() >= killAt) {
      signal(-group, 'SIGKILL');
      // Only zombies are left, whose parent does not care.
      if ((await groupMembers(group)).length === 0) return;
    }
    await sleep(POLL_MS);
  }
}

async function endStrays(id: string, killAt: number): Promise<void> {
  const find = () => findByEnvironment((entries) => entries.includes(`SPAWNER_SESSION_ID=${id}`));
  const told = new Set<number>();
  for (let left = await find(); left.length > 0; left = await find()) {
    const kill = performance.now() >= killAt;
    for (const pid of left) {
      if (kill || !told.has(pid)) signal(pid, kill ? 'SIGKILL' : 'SIGTERM');
      told.add(pid);
    }
    await sleep(POLL_MS);
  }
}

function exists(pid: number): boolean {
  return signal(pid, 0);
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

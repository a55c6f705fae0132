/**
 * What Linux says of processes. Formats: proc(5).
 */
import { readdir, readFile } from 'node:fs/promises';

/** A process, safe against the reuse of its pid: the start time is in clock ticks since the boot named by `bootId`. */
export interface ProcessIdentity {
  pid: number;
  startTicks: number;
  bootId: string;
}

export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** Undefined if no such process runs; a zombie has ended. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readStat(pid);
  return stat && { pid, startTicks: stat.startTicks, bootId: await bootId() };
}

export async function isAlive(known: ProcessIdentity): Promise<boolean> {
  const now = await identify(known.pid);
  return now !== undefined && now.startTicks === known.startTicks && now.bootId === known.bootId;
}

/** Processes that run, and of which `wanted` approves: called with the environment's `NAME=value` entries. */
export async function findByEnvironment(wanted: (entries: string[]) => boolean): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const matches = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environment !== '' && wanted(environment.split('\0')) && (await readStat(pid)) !== undefined;
    }),
  );
  return pids.filter((_, index) => matches[index]);
}

export async function groupMembers(group: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map(readStat));
  return pids.filter((_, index) => stats[index]?.group === group);
}

async function readStat(pid: number): Promise<{ group: number; startTicks: number } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The second field, the command's name, may hold blanks and brackets: count from its last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, , group] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return { group: Number(group), startTicks: Number(fields[19]) };
}

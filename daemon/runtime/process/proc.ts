/**
 * What Linux says of processes. Formats: proc(5).
 */
import { readdir, readFile } from 'node:fs/promises';
import pLimit from 'p-limit';
import { coalesce } from '../../coalesce.ts';

/** A process, safe against the reuse of its pid: the start time is in clock ticks since the boot named by `bootId`. */
export interface ProcessIdentity {
  pid: number;
  startTicks: number;
  bootId: string;
}

/** A process that runs. */
export interface ScannedProcess {
  pid: number;
  startTicks: number;
  /** Numbers of its process group and of its (terminal) session. */
  group: number;
  session: number;
  /** `SPAWNER_SESSION_ID` of the environment it was started with, if we may read that. */
  spawnerSession: string | undefined;
}

// Every open file counts against the limit that the API's connections share.
const FILES_AT_A_TIME = 16;
const MARK = 'SPAWNER_SESSION_ID=';

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

/** Every process of this machine. Callers at the same time share one look, which began after each of them asked. */
export const scanProcesses: () => Promise<ScannedProcess[]> = coalesce(scan);

async function scan(): Promise<ScannedProcess[]> {
  const limit = pLimit(FILES_AT_A_TIME);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => limit(() => look(pid))));
  return found.filter((process) => process !== undefined);
}

async function look(pid: number): Promise<ScannedProcess | undefined> {
  const stat = await readStat(pid);
  if (!stat) return undefined;
  const environment = (await readOf(pid, 'environ')) ?? '';
  const mark = environment.split('\0').find((entry) => entry.startsWith(MARK));
  return { pid, ...stat, spawnerSession: mark?.slice(MARK.length) };
}

async function readStat(pid: number): Promise<Omit<ScannedProcess, 'pid' | 'spawnerSession'> | undefined> {
  const text = await readOf(pid, 'stat');
  if (text === undefined) return undefined;
  // The second field, the command's name, may hold blanks and brackets: count from its last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, , group, session] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return { group: Number(group), session: Number(session), startTicks: Number(fields[19]) };
}

/** Undefined for a process that has ended or is not ours to see. Any other trouble must not look like an end. */
async function readOf(pid: number, file: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(code)) return undefined;
    throw error;
  }
}

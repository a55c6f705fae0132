/**
 * What Linux says of processes. Formats: proc(5).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
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

// The kernel answers from memory, in microseconds: to hand each read to another thread and to wait for it takes a
// hundred times as long, and seconds on a busy machine. So reads are synchronous, and others get their turn in between.
const READS_A_TURN = 100;
const MARK = 'SPAWNER_SESSION_ID=';

export async function bootId(): Promise<string> {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Undefined if no such process runs; a zombie has ended. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = readStat(pid);
  return stat && { pid, startTicks: stat.startTicks, bootId: await bootId() };
}

export async function isAlive(known: ProcessIdentity): Promise<boolean> {
  const now = await identify(known.pid);
  return now !== undefined && now.startTicks === known.startTicks && now.bootId === known.bootId;
}

/** Every process of this machine. Callers at the same time share one look, which began after each of them asked. */
export const scanProcesses: () => Promise<ScannedProcess[]> = coalesce(scan);

async function scan(): Promise<ScannedProcess[]> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const found: ScannedProcess[] = [];
  for (const [index, pid] of pids.entries()) {
    if (index % READS_A_TURN === READS_A_TURN - 1) await nextTurn();
    const process = look(Number(pid));
    if (process) found.push(process);
  }
  return found;
}

function look(pid: number): ScannedProcess | undefined {
  const stat = readStat(pid);
  if (!stat) return undefined;
  const environment = readOf(pid, 'environ') ?? '';
  const mark = environment.split('\0').find((entry) => entry.startsWith(MARK));
  return { pid, ...stat, spawnerSession: mark?.slice(MARK.length) };
}

function readStat(pid: number): Omit<ScannedProcess, 'pid' | 'spawnerSession'> | undefined {
  const text = readOf(pid, 'stat');
  if (text === undefined) return undefined;
  // The second field, the command's name, may hold blanks and brackets: count from its last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, , group, session] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return { group: Number(group), session: Number(session), startTicks: Number(fields[19]) };
}

/** Undefined for a process that has ended or is not ours to see. Any other trouble must not look like an end. */
function readOf(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(code)) return undefined;
    throw error;
  }
}

/** What processes use, as Linux tells it (proc(5)). Each throws once the process is gone. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** CPU time so far, of user and kernel: to the nanosecond, of the threads that live; or else to 10 ms, of all. */
export function cpuSeconds(pid: number): number {
  if (!existsSync(`/proc/${pid}/schedstat`)) return tickedSeconds(pid);
  const ns = threadsOf(pid).map((thread) => Number(read(pid, `task/${thread}/schedstat`).split(' ')[0]));
  return ns.reduce((sum, one) => sum + one, 0) / 1e9;
}

function tickedSeconds(pid: number): number {
  const stat = read(pid, 'stat');
  // After the name, which may hold anything: state is field 3, utime 14, stime 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Its memory, with its part of what it shares with other processes. */
export function pssBytes(pid: number): number {
  return rolledUp(pid, /^Pss:\s+(\d+) kB/m);
}

/** Its resident memory, with all of what it shares. */
export function residentBytes(pid: number): number {
  return rolledUp(pid, /^Rss:\s+(\d+) kB/m);
}

/** Of its resident memory, what is not a file's: programs and libraries are shared by all who run them. */
export function anonymousBytes(pid: number): number {
  return rolledUp(pid, /^Anonymous:\s+(\d+) kB/m);
}

function rolledUp(pid: number, line: RegExp): number {
  return Number(line.exec(read(pid, 'smaps_rollup'))?.[1]) * 1024;
}

/** Its children, such as the workers of an nginx. */
export function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) =>
    read(pid, `task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

function threadsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`);
}

function read(pid: number, name: string): string {
  return readFileSync(`/proc/${pid}/${name}`, 'utf8');
}

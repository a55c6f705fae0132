/**
 * What Linux says of processes and sockets. Formats: proc(5).
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

/** Ports that somebody listens on at loopback or every address, with the address to reach each at. */
export async function listeningPorts(): Promise<Map<number, string>> {
  const [v6, v4] = await Promise.all([
    readFile('/proc/net/tcp6', 'utf8').catch(() => ''),
    readFile('/proc/net/tcp', 'utf8'),
  ]);
  const ports = new Map<number, string>();
  for (const { address, port } of [...listeners(v6), ...listeners(v4)]) {
    const host = REACHED_AT[address];
    // Both loopback addresses: 127.0.0.1, which was read last, wins.
    if (host !== undefined) ports.set(port, `${host}:${port}`);
  }
  return ports;
}

// Local addresses as the kernel prints them: 32-bit words in this machine's (little-endian) byte order.
const REACHED_AT: Record<string, string> = {
  '0100007F': '127.0.0.1',
  '00000000': '127.0.0.1',
  '00000000000000000000000000000000': '127.0.0.1', // [::], which takes IPv4 too unless told otherwise
  '00000000000000000000000001000000': '[::1]',
};
const TCP_LISTEN = '0A';

function listeners(table: string): { address: string; port: number }[] {
  const found = [];
  for (const line of table.split('\n').slice(1)) {
    const [, local, , state] = line.trim().split(/\s+/);
    if (state !== TCP_LISTEN || local === undefined) continue;
    const [address, port] = local.split(':') as [string, string];
    found.push({ address, port: Number.parseInt(port, 16) });
  }
  return found;
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

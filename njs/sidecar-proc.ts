/** What the sidecar reads of Linux's /proc, which shows it the Pod's network namespace. */
// biome-ignore lint/style/useNodejsImportProtocol: njs knows its modules by the bare name only.
import fs from 'fs';
import { readSockets, type Sockets } from './sidecar-table.ts';

/** Throws an Error that names the file. */
export function readTables(port: number): Sockets {
  const four = readTable('/proc/net/tcp', port);
  if (four === undefined) {
    throw new Error('/proc/net/tcp: there is no such file');
  }
  // A kernel that was told to do without IPv6 has no table of it.
  const six = readTable('/proc/net/tcp6', port) || { listening: false, connections: [] };
  return {
    listening: four.listening || six.listening,
    connections: four.connections.concat(six.connections),
  };
}

/** Changes when the number of sockets does; '' if the kernel does not say it. Both files: `TCP: inuse 5 …`. */
export function socketsInUse(): string {
  const four = /^TCP: inuse \d+/m.exec(read('/proc/net/sockstat') || '');
  const six = /^TCP6: inuse \d+/m.exec(read('/proc/net/sockstat6') || '');
  return four === null ? '' : `${four[0]} ${six === null ? '' : six[0]}`;
}

/** Seconds since the machine's boot, to 1/100: no one can set this clock back (proc_uptime(5)). */
export function uptime(): number {
  const seconds = Number((read('/proc/uptime') || '').split(' ')[0]);
  if (!(seconds > 0)) {
    throw new Error('/proc/uptime: the text is not a time');
  }
  return seconds;
}

function readTable(path: string, port: number): Sockets | undefined {
  const text = read(path);
  try {
    return text === undefined ? undefined : readSockets(text, port);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

/** Undefined if there is no such file. */
function read(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8') as string;
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') {
      return undefined;
    }
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

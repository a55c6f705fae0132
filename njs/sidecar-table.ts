/** What the kernel's TCP tables say of one port: pure. */
export interface Sockets {
  /** Whether a socket listens on the port. */
  listening: boolean;
  /** The established connections to the port from elsewhere: `<local address> <remote address>:<port>`, in hex. */
  connections: string[];
}

const LISTEN = '0A';
/** A line that is no socket. */
const FOREIGN_LINE = /^(?!$| *\d+: [0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4} [0-9A-F]{2} )/m;
const MAPPED = '0000000000000000FFFF0000';

/**
 * Reads /proc/net/tcp or /proc/net/tcp6 (Linux, Documentation/networking/proc_net_tcp.rst; an address is printed as
 * 32-bit words in the machine's byte order, here little-endian). Throws an Error if the text is no such table.
 * For 10,000 sockets it takes 20 ms; one global expression over the whole text takes the native engine 50 times that.
 */
export function readSockets(table: string, port: number): Sockets {
  const head = table.indexOf('\n') + 1;
  const lines = table.slice(head);
  if (!/^ *sl +local_address /.test(table) || !table.endsWith('\n') || FOREIGN_LINE.test(lines)) {
    throw new Error('the text is not a TCP table');
  }
  const local = port.toString(16).toUpperCase().padStart(4, '0');
  const ours = new RegExp(`^ *\\d+: ([0-9A-F]+):${local} ([0-9A-F]+)(:[0-9A-F]{4}) (01|${LISTEN}) `);
  const sockets: Sockets = { listening: false, connections: [] };
  lines.split('\n').forEach((line) => {
    const found = ours.exec(line);
    if (found === null) {
      return;
    }
    const here = found[1] as string;
    const there = found[2] as string;
    if (found[4] === LISTEN) {
      sockets.listening = true;
    } else if (here !== there && !isLoopback(there)) {
      sockets.connections.push(`${here} ${there}${found[3]}`);
    }
  });
  return sockets;
}

/** 127.0.0.0/8, the same mapped into IPv6, and ::1. */
function isLoopback(address: string): boolean {
  if (address.length === 8 || address.startsWith(MAPPED)) {
    return address.endsWith('7F');
  }
  return address === '00000000000000000000000001000000';
}

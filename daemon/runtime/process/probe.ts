/**
 * Whether somebody listens on a port, found out by trying: reading /proc/net/tcp takes the kernel 30 ms once a few
 * thousand connections are in TIME_WAIT.
 */
import { connect, createServer } from 'node:net';
import { hostPort } from '../../host-port.ts';

const LOOPBACK = ['127.0.0.1', '::1'];
const PATIENCE_MS = 500;

/** `ip:port` of a loopback address where a connection is accepted. Servers told "localhost" may listen on ::1 only. */
export async function listeningAddress(port: number): Promise<string | undefined> {
  for (const host of LOOPBACK) {
    if (await accepts(host, port)) return hostPort(host, port);
  }
  return undefined;
}

/** Whether nobody listens there, on either loopback address or on all: whoever does would be taken for the app. */
export async function isFree(port: number): Promise<boolean> {
  const free = await Promise.all(LOOPBACK.map((host) => canListen(host, port)));
  return !free.includes(false);
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // A machine without IPv6 has nobody there.
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      resolve(code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT');
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Neither accepted nor refused: its queue of connections is full.
    socket.setTimeout(PATIENCE_MS, () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(false));
  });
}

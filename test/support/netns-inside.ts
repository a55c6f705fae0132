/** The program inside a network namespace of test/support/netns.ts: a Pod with an app, and those who connect to it. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Sidecar, type SidecarAnswer, type SidecarOptions, startSidecar } from './sidecar.ts';

/** No one but the sockets of this namespace can be at these. */
const POD = { 4: '10.99.0.1', 6: 'fd99::1' };
const VISITOR = { 4: '10.99.0.2', 6: 'fd99::2' };
const NOBODY = '10.99.1.1';
const LOOPBACK = '127.0.0.1';

const ends: Socket[] = [];
const accepted: Socket[] = [];
let starting: Promise<Sidecar> | undefined;

const commands = {
  /** Starts the sidecar on its port. */
  async sidecar(options: SidecarOptions): Promise<void> {
    starting = startSidecar({ ...options, address: `${POD[4]}:9118` });
    await starting;
  },
  async status(): Promise<SidecarAnswer> {
    return (await started()).call();
  },
  async errorLog(): Promise<string> {
    return (await started()).errorLog();
  },
  /** An app that accepts, says nothing, and closes only when told to. */
  async listen(host: string, port: number): Promise<void> {
    const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(socket.on('error', () => undefined).resume());
    });
    await once(server.listen(port, host), 'listening');
  },
  /** Opens a connection from a visitor's address; returns its number for `close`. */
  async visit(family: 4 | 6, port: number): Promise<number> {
    return open(VISITOR[family], POD[family], port);
  },
  async close(index: number): Promise<void> {
    ends[index]?.destroy();
  },
  /** Connections from within the Pod: over loopback, and to its own address. */
  async visitFromWithin(port: number): Promise<void> {
    await open(LOOPBACK, LOOPBACK, port);
    await open(POD[4], POD[4], port);
  },
  /** Leaves a socket of the port in the state SYN_SENT for longer than any test; only before somebody listens. */
  async leaveSynSent(port: number): Promise<void> {
    connect({ host: NOBODY, port: 1, localAddress: POD[4], localPort: port }).on('error', () => undefined);
  },
  /** Leaves sockets of the port in the states CLOSE_WAIT and TIME_WAIT for longer than any test. */
  async leaveOtherStates(port: number): Promise<void> {
    ends[await open(VISITOR[4], POD[4], port)]?.end();
    const left = await open(VISITOR[4], POD[4], port);
    const mine = ends[left] as Socket;
    accepted.find((socket) => socket.remotePort === mine.localPort)?.end();
    mine.on('end', () => mine.end());
  },
  /** From now on: each 190 ms, out of step with the sidecar's samples, a connection of 150 ms. */
  async probe(port: number): Promise<void> {
    setInterval(async () => {
      const probing = await open(VISITOR[4], POD[4], port);
      setTimeout(() => ends[probing]?.end(), 150);
    }, 190);
  },
  /** The states of the port's sockets, as the kernel writes them. */
  async states(port: number): Promise<string[]> {
    const local = port.toString(16).toUpperCase().padStart(4, '0');
    const tables = readFileSync('/proc/net/tcp', 'utf8') + readFileSync('/proc/net/tcp6', 'utf8');
    return Array.from(tables.matchAll(/^ *\d+: \S+:(\S{4}) \S+ (\S\S)/gm))
      .filter((line) => line[1] === local)
      .map((line) => line[2] ?? '');
  },
};

export type Commands = typeof commands;

function started(): Promise<Sidecar> {
  return starting ?? Promise.reject(new Error('no sidecar was started'));
}

async function open(from: string, to: string, port: number): Promise<number> {
  const socket = connect({ host: to, port, localAddress: from, allowHalfOpen: true });
  socket.on('error', () => undefined).resume();
  await once(socket, 'connect');
  return ends.push(socket) - 1;
}

/** Every address is one of the loopback device: that needs no kernel module, and loopback is told by address. */
function addAddresses(): void {
  const ip = (...words: string[]) =>
    execFileSync('ip', words, { env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
  ip('link', 'set', 'lo', 'up');
  for (const address of [POD[4], VISITOR[4]]) ip('addr', 'add', `${address}/32`, 'dev', 'lo');
  for (const address of [POD[6], VISITOR[6]]) ip('addr', 'add', `${address}/128`, 'dev', 'lo', 'nodad');
  ip('route', 'add', `${NOBODY}/32`, 'dev', 'lo');
}

async function leave(): Promise<void> {
  await started().then(
    (sidecar) => sidecar.stop(),
    () => undefined,
  );
  process.exit();
}

process.on('disconnect', leave);
process.on('message', async ({ name, args }: { name: keyof Commands; args: unknown[] }) => {
  try {
    const run = commands[name] as (...args: unknown[]) => Promise<unknown>;
    process.send?.({ value: await run(...args) });
  } catch (error) {
    process.send?.({ error: (error as Error).message });
  }
});
addAddresses();
process.send?.({ value: 'ready' });

/** Programs that a benchmark starts and ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

const START_SECONDS = 30;

export interface Program {
  pid: number;
  stop(): Promise<void>;
}

/** Starts a server, and returns when `ready`. Throws one line with what it last said if it ends instead. */
export async function startProgram(
  name: string,
  command: string,
  args: string[],
  ready: () => Promise<boolean>,
  env: NodeJS.ProcessEnv = {},
): Promise<Program> {
  const child = tied(command, args, 'ignore', env);
  const exited = once(child, 'exit');
  const complaint = text(child.stderr as NodeJS.ReadableStream);
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  const deadline = performance.now() + START_SECONDS * 1000;
  while (!(await ready())) {
    if (child.exitCode !== null) {
      throw new Error(`${name} ended with status ${child.exitCode}: ${lastLine(await complaint)}`);
    }
    if (performance.now() > deadline) {
      await stop();
      throw new Error(`${name} was not ready after ${START_SECONDS} s: ${lastLine(await complaint)}`);
    }
    await sleep(10);
  }
  return { pid: child.pid as number, stop };
}

/** Prepares a program that has just started, and ends it if that fails. */
export async function prepared(program: Program, prepare: () => Promise<void>): Promise<Program> {
  try {
    await prepare();
    return program;
  } catch (error) {
    await program.stop();
    throw error;
  }
}

/**
 * Runs a program to its end and returns what it wrote on stdout. With `milliseconds`, it is interrupted after so long,
 * counted from its first word on stderr.
 */
export async function runProgram(
  name: string,
  command: string,
  args: string[],
  { abort, milliseconds }: { abort: AbortSignal; milliseconds?: number },
): Promise<string> {
  abort.throwIfAborted();
  const child = tied(command, args, 'pipe');
  const end = () => child.kill('SIGTERM');
  abort.addEventListener('abort', end);
  let timer: NodeJS.Timeout | undefined;
  if (milliseconds !== undefined) {
    child.stderr?.once('data', () => {
      timer = setTimeout(() => child.kill('SIGINT'), milliseconds);
    });
  }
  try {
    const [output, complaint, [status]] = await Promise.all([
      text(child.stdout as NodeJS.ReadableStream),
      text(child.stderr as NodeJS.ReadableStream),
      once(child, 'exit'),
    ]);
    abort.throwIfAborted();
    if (status !== 0)
      throw new Error(`${name} ended with status ${status}: ${lastLine(complaint || output)}`);
    return output;
  } finally {
    clearTimeout(timer);
    abort.removeEventListener('abort', end);
  }
}

/** In a process group of its own, so that Ctrl-C reaches only us; should we be killed, the kernel ends it. */
function tied(
  command: string,
  args: string[],
  stdout: 'ignore' | 'pipe',
  env: NodeJS.ProcessEnv = {},
): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'TERM', '--', command, ...args], {
    detached: true,
    stdio: ['ignore', stdout, 'pipe'],
    env: { ...process.env, ...env },
  });
}

function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? '';
}

/** Whether somebody listens on a port of 127.0.0.1. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A port of 127.0.0.1 that nobody listens on, as the kernel gives them out. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** The first of `count` ports of 127.0.0.1 in a row that nobody listens on, from `first` to `last`. */
export async function freeBlock(count: number, first: number, last: number): Promise<number> {
  for (let start = first; start + count - 1 <= last; start += count) {
    const ports = Array.from({ length: count }, (_, index) => start + index);
    if (!(await Promise.all(ports.map(listens))).includes(true)) return start;
  }
  throw new Error(`${count} ports in a row are nowhere free from ${first} to ${last}`);
}

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A program that has to run as long as Spawner does. */
export interface Program {
  name: string;
  /** Starts it, as the leader of a process group of its own. */
  start: () => ChildProcess;
  /** Clears away what a killed run left behind; runs before each start. */
  tidy: () => void;
  /** Whether it says itself why it exits with an error at its start. */
  explains: boolean;
  /** The whole group dies with its leader: its members are worth nothing alone. */
  endsGroup: boolean;
}

/** The program itself has told the user all. */
export class ExplainedError extends Error {}

export interface Supervised {
  /** Deaths are mended from now on; an earlier one means that the program can't run here. */
  mend: () => void;
  /** Rejects with one line when the program died and is not started again. */
  lost: Promise<never>;
  /** Ends it with a signal, by force after `graceMs`. */
  stop: (signal: NodeJS.Signals, graceMs: number) => Promise<void>;
  /** While it is being stopped: tells it again, and leaves it only a moment. */
  hurry: () => void;
}

const allowed = { deaths: 5, withinMs: 10_000 };

/** Whether a program that died at these times (ms, ascending) dies too often to be started again. */
export function diesTooOften(deaths: number[]): boolean {
  const [last, first] = [deaths.at(-1), deaths.at(-allowed.deaths)];
  return last !== undefined && first !== undefined && last - first <= allowed.withinMs;
}

/** Starts a program and, once it may be mended, starts it again whenever it dies. */
export function supervise(program: Program, log: (line: string) => void): Supervised {
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const deaths: number[] = [];
  let mending = false;
  let stopping = false;
  let child = start();

  function start(): ChildProcess {
    program.tidy();
    const started = program.start();
    started.once('error', (error) =>
      lost.reject(new Error(`${program.name} can't be started: ${error.message}`)),
    );
    started.once('exit', (code, signal) => {
      if (program.endsGroup) killGroup(started.pid);
      if (stopping) return;
      if (program.explains && !mending && code) lost.reject(new ExplainedError(`${program.name} explained`));
      else died(signal ? `was killed (${signal})` : `exited with code ${code}`);
    });
    return started;
  }

  function died(how: string): void {
    deaths.push(performance.now());
    if (!mending) {
      lost.reject(new Error(`${program.name} ${how}`));
    } else if (diesTooOften(deaths)) {
      const often = `${allowed.deaths} times within ${allowed.withinMs / 1000} s`;
      lost.reject(new Error(`${program.name} died ${often}, lastly it ${how}`));
    } else {
      log(`${program.name} ${how}, starting it again`);
      child = start();
    }
  }

  return {
    lost: lost.promise,
    mend: () => {
      mending = true;
    },
    hurry: () => {
      child.kill('SIGINT');
      setTimeout(() => child.kill('SIGKILL'), 2_000).unref();
    },
    stop: async (signal, graceMs) => {
      stopping = true;
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
      child.kill(signal);
      await gone;
      clearTimeout(force);
    },
  };
}

/** The leader is dead by now, its group may be too. */
function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}

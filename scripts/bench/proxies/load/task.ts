/** The work of a load program, in a process of its own so that it does not wait for ours. This is our side. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface Task<T> {
  /** Does the work, once. Rejects if the program ends instead. */
  go(): Promise<T>;
  end(): void;
}

/** Starts a program of this folder (load/serve-task.ts is its side); returns when it is ready for its work. */
export async function startTask<T>(program: string, argument: unknown, abort: AbortSignal): Promise<Task<T>> {
  abort.throwIfAborted();
  const child = fork(join(import.meta.dirname, program), [JSON.stringify(argument)], { detached: true });
  const end = () => child.kill();
  abort.addEventListener('abort', end, { once: true });
  child.once('exit', () => abort.removeEventListener('abort', end));
  await messageOf(child, program);
  return {
    async go() {
      child.send('go');
      return (await messageOf(child, program)) as T;
    },
    end,
  };
}

async function messageOf(child: ChildProcess, program: string): Promise<unknown> {
  const settled = new AbortController();
  const { signal } = settled;
  const ended = once(child, 'exit', { signal }).then(([status]) => {
    throw new Error(`${program} ended with status ${status}`);
  });
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), ended]);
    return message;
  } finally {
    ended.catch(() => undefined);
    settled.abort();
  }
}

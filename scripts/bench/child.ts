/** A part of a measurement that runs in a process of its own, so that it does not disturb the others. */
import { fork, type Serializable } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { OnEnd } from './closing.ts';

export interface Child<Question, Answer> {
  /** One at a time. Rejects if the process ends instead; what it said is on stderr. */
  ask(question: Question): Promise<Answer>;
}

/**
 * @param file a program of this folder that calls `answerAll`
 * @param within words of a command that runs it, such as one that changes its namespaces
 */
export function startChild<Question, Answer>(
  onEnd: OnEnd,
  file: string,
  within: string[] = [],
): Child<Question, Answer> {
  const [execPath = process.execPath, ...execArgv] = [...within, process.execPath];
  // Detached, so that Ctrl-C reaches only us: it ends when we do.
  const child = fork(join(import.meta.dirname, file), {
    ...{ execPath, execArgv, detached: true, serialization: 'advanced' },
  });
  const exited = once(child, 'exit');
  onEnd(async () => {
    if (child.connected) child.disconnect();
    await exited;
  });
  const lost = async (): Promise<never> => {
    const [code, signal] = await exited;
    throw new Error(`${file} ended (${signal ?? code}) while it was asked`);
  };
  return {
    async ask(question) {
      child.send(question as Serializable);
      const [answer] = await Promise.race([once(child, 'message'), lost()]);
      return answer;
    },
  };
}

/**
 * The other side: answers what `ask` asks, and ends the process with the one that started it.
 * @param end ends what it has started
 */
export function answerAll<Question, Answer>(
  answer: (question: Question) => Promise<Answer>,
  end: () => Promise<void> = async () => {},
): void {
  process.on('message', async (question) => {
    try {
      process.send?.(await answer(question as Question));
    } catch (error) {
      // What fails because all is ended is nobody's concern.
      if (process.connected) throw error;
    }
  });
  process.on('disconnect', async () => {
    await end();
    process.exit();
  });
}

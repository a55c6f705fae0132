import { readFile } from 'node:fs/promises';
import { identify, isAlive, type ProcessIdentity } from '../../daemon/runtime/process/proc.ts';
import { until } from '../support/poll.ts';

export interface Process extends ProcessIdentity {
  /** Its arguments, or what it calls itself. */
  title: string;
}

/** A process and all that it started, and they in turn. */
export async function family(pid: number | undefined): Promise<Process[]> {
  const identity = await identify(Number(pid));
  if (!identity) return [];
  const [title, children] = await Promise.all([
    readFile(`/proc/${pid}/cmdline`, 'utf8'),
    readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'),
  ]).catch(() => ['', '']);
  const families = children
    .split(' ')
    .filter(Boolean)
    .map((child) => family(Number(child)));
  return [{ ...identity, title: title.replaceAll('\0', ' ') }, ...(await Promise.all(families)).flat()];
}

export async function untilGone(processes: Process[]): Promise<void> {
  const titles = processes.map(({ title }) => title).join('\n');
  await until(
    `the end of\n${titles}`,
    async () => !(await Promise.all(processes.map(isAlive))).includes(true),
    20,
  );
}

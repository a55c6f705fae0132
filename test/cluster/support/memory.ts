import { readdir, readFile } from 'node:fs/promises';
import type { V1Pod } from '@kubernetes/client-node';

/** Of all processes of a container, in bytes. */
export interface Memory {
  /** What it takes of the node: shared pages count by their share. */
  pss: number;
  rss: number;
  /** What it shares with nobody. */
  anonymous: number;
}

/** Our own cluster's processes are this machine's: what the kernel says of those of one container. */
export async function memoryOf(pod: V1Pod, container: string): Promise<Memory> {
  const status = pod.status?.containerStatuses?.find(({ name }) => name === container);
  const id = status?.containerID?.split('//')[1];
  if (!id) throw new Error(`container ${container} of ${pod.metadata?.name} does not run`);
  const sum: Memory = { pss: 0, rss: 0, anonymous: 0 };
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const cgroups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    if (!cgroups.includes(id)) continue;
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    const bytes = (name: string) => 1024 * Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(rollup)?.[1]);
    sum.pss += bytes('Pss');
    sum.rss += bytes('Rss');
    sum.anonymous += bytes('Anonymous');
  }
  if (sum.rss === 0) throw new Error(`no process of container ${container} was found`);
  return sum;
}

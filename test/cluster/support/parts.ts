/** The Pods of the installation itself, and what may happen to them. */
import { readdir, readFile } from 'node:fs/promises';
import type { V1Pod } from '@kubernetes/client-node';
import type { ExecutionContext } from 'ava';
import type { Address } from '../../support/http.ts';
import { isOwnCluster, theCluster } from './cluster.ts';
import type { Way } from './outside.ts';
import { reach, type Target } from './reach.ts';

const namespace = 'spawner';

/** Of `router` or `daemon`; those that shut down are among them. */
export async function podsOf(component: 'router' | 'daemon'): Promise<V1Pod[]> {
  const labelSelector = `app.kubernetes.io/component=${component}`;
  return (await theCluster().core.listNamespacedPod({ namespace, labelSelector })).items;
}

export function nameOf({ metadata }: V1Pod): string {
  return metadata?.name as string;
}

/** Whether Services lead to it. */
export function isReady({ metadata, status }: V1Pod): boolean {
  const ready = status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
  return ready === true && !metadata?.deletionTimestamp;
}

/** Where a router's Pod serves visitors. */
export function routerAddress(t: ExecutionContext, pod: V1Pod): Promise<Address> {
  return reach(t, podTarget(pod, 8000));
}

/** The Pods themselves: Services lead nowhere while the cluster has not heard of a node. */
export async function podsAsWay(): Promise<Way> {
  const [[daemon], [router]] = await Promise.all([podsOf('daemon'), podsOf('router')]);
  return { daemon: podTarget(daemon as V1Pod, 8080), router: podTarget(router as V1Pod, 8000) };
}

function podTarget(pod: V1Pod, port: number): Target {
  return { namespace, kind: 'pod', name: nameOf(pod), port };
}

/** Takes a Pod away without a word of farewell. In our own cluster its processes are killed, elsewhere at least gone. */
export async function killPod(pod: V1Pod): Promise<void> {
  if (isOwnCluster) await signal(pod, 'SIGKILL');
  const body = { gracePeriodSeconds: 0 };
  await theCluster().core.deleteNamespacedPod({ namespace, name: nameOf(pod), body });
}

/** Sends all processes of the Pod's container a signal. Our own cluster runs on this machine. */
export async function signal(pod: V1Pod, name: NodeJS.Signals): Promise<void> {
  const id = pod.status?.containerStatuses?.[0]?.containerID?.split('//')[1];
  if (id === undefined) throw new Error(`${nameOf(pod)} has no container`);
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const cgroup = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    if (cgroup.includes(id)) sendTo(Number(pid), name);
  }
}

function sendTo(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // A worker goes with its master.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

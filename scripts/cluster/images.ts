import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { program, runFolder } from './places.ts';

/** Brings an image archive (of the form of `docker save`) into the cluster that is up. Throws one line. */
export async function importImage(archive: string): Promise<void> {
  try {
    await ctr('images', 'import', archive);
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    throw new Error(`the image ${archive} can't be brought into the cluster: ${stderr.trim() || error}`);
  }
}

/** The kubelet's images are in containerd's namespace `k8s.io`. */
export function ctr(...args: string[]): Promise<{ stdout: string }> {
  const socket = join(runFolder, 'containerd.sock');
  return promisify(execFile)(program('ctr'), ['--address', socket, '--namespace', 'k8s.io', ...args]);
}

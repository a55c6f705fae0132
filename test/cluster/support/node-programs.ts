import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runFolder } from '../../../scripts/cluster/places.ts';

/** What the node of our own cluster can be without; `names` is what tells DNS of Pods. */
export type NodeProgram = 'api_server' | 'dns' | 'kubelet' | 'names';

/** Has the node end it within 0.1 s, and keep it away until `resume`. */
export async function stop(program: NodeProgram): Promise<void> {
  await writeFile(fileOf(program), '');
}

export async function resume(program: NodeProgram): Promise<void> {
  await rm(fileOf(program), { force: true });
}

// The node's supervisor looks for it (scripts/cluster/node/init.sh).
function fileOf(program: NodeProgram): string {
  return join(runFolder, `${program}-stopped`);
}

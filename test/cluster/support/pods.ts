import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CoreV1Api,
  PatchStrategy,
  setHeaderOptions,
  type V1ContainerState,
} from '@kubernetes/client-node';
import type { ExecutionContext } from 'ava';

/** A Pod template's file, for as long as the test runs. */
export async function writeTemplate(t: ExecutionContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spawner-template-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'pod.yaml');
  await writeFile(file, text);
  return file;
}

/** One container has ended or waits, and the others run. */
export async function sayOfContainer(
  core: CoreV1Api,
  namespace: string,
  name: string,
  container: string,
  state: V1ContainerState,
): Promise<void> {
  const { spec } = await core.readNamespacedPod({ name, namespace });
  const containerStatuses = spec?.containers.map((one) => ({
    ...{ name: one.name, image: 'played', imageID: 'played', ready: false, restartCount: 0 },
    state: one.name === container ? state : { running: {} },
  }));
  const options = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  await core.patchNamespacedPodStatus({ name, namespace, body: { status: { containerStatuses } } }, options);
}

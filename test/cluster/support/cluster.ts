import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { AppsV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import type { ExecutionContext } from 'ava';
import { adminKubeconfig, program } from '../../../scripts/cluster/places.ts';
import { dump } from './dump.ts';

/** The cluster that scripts/test-cluster.ts names, as its administrator. */
export interface Cluster {
  config: KubeConfig;
  core: CoreV1Api;
  apps: AppsV1Api;
}

/** Whether it is the one of scripts/cluster: Pod and Service addresses answer, and its API server can be stopped. */
export const isOwnCluster: boolean = process.env.KUBECONFIG === adminKubeconfig;

export function theCluster(): Cluster {
  if (!process.env.KUBECONFIG)
    throw new Error('no cluster is given: run these tests with npm run test:cluster');
  const config = new KubeConfig();
  config.loadFromDefault();
  return { config, core: config.makeApiClient(CoreV1Api), apps: config.makeApiClient(AppsV1Api) };
}

/** What a manifest calls one of the project's images, such as `spawner-example:0.1.0`, where the cluster finds it. */
export function imageRef(image: string): string {
  return `${process.env.SPAWNER_TEST_IMAGE_PREFIX ?? ''}${image}`;
}

export const kubectlProgram: string = isOwnCluster ? program('kubectl') : 'kubectl';

/** What it prints. Throws what it complains of. */
export async function kubectl(...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(kubectlProgram, args, { maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim() || error}`);
  }
}

/** A namespace that goes with the test; a failing test shows what happened in it. */
export async function namespaceFor(t: ExecutionContext): Promise<string> {
  const { core } = theCluster();
  const name = `test-${randomBytes(5).toString('hex')}`;
  await core.createNamespace({ body: { metadata: { name } } });
  t.teardown(async () => {
    if (!t.passed) t.log(await dump(name));
    await core.deleteNamespace({ name });
  });
  return name;
}

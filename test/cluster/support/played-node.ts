import { type KubernetesObject, type V1Pod, Watch } from '@kubernetes/client-node';
import type { ExecutionContext } from 'ava';
import type { KubeApi } from '../../support/kube-api.ts';
import { playKubelet } from '../../support/played-kubelet.ts';

/**
 * A node for a namespace, as long as the test runs: every Pod there gets to run, Ready, and every Pod that is being
 * deleted ends.
 * @param nextHost an address that no Pod has had
 */
export async function playNode(
  t: ExecutionContext,
  kube: KubeApi,
  namespace: string,
  nextHost: () => Promise<string>,
): Promise<void> {
  const kubelet = playKubelet(kube.core, namespace);
  const work = async ({ metadata, spec }: V1Pod) => {
    const name = metadata?.name as string;
    if (metadata?.deletionTimestamp) return kubelet.gone(name);
    if (spec?.nodeName) return;
    await kubelet.assign(name);
    await kubelet.running(name, await nextHost());
  };
  const request = await new Watch(kube.config).watch(
    `/api/v1/namespaces/${namespace}/pods`,
    {},
    (type: string, pod: KubernetesObject) => {
      // Whatever it was about to do, the Pod may be gone by then.
      if (type !== 'DELETED') work(pod as V1Pod).catch(() => {});
    },
    () => {},
  );
  t.teardown(() => request.abort());
}

/** Makes Pods Ready as soon as they are there, each at an address of loopback: no Pod runs anything. */
import type { V1Pod } from '@kubernetes/client-node';
import pLimit from 'p-limit';
import pino from 'pino';
import { connect, loadKubeConfig } from '../../daemon/kubernetes/connection.ts';
import { createWatched } from '../../daemon/kubernetes/watched.ts';
import { createWorkQueue } from '../../daemon/work-queue.ts';
import { playKubelet } from '../../test/support/played-kubelet.ts';
import { answerAll } from './child.ts';

const PODS_AT_A_TIME = 20;

export interface Played {
  kubeconfig: string;
  namespace: string;
}

/** Answers when it follows the namespace. */
answerAll(async ({ kubeconfig, namespace }: Played): Promise<true> => {
  process.env.KUBECONFIG = kubeconfig; // as a daemon is told it
  const { api, kubeConfig } = connect(loadKubeConfig(process.env), () => {});
  const kubelet = playKubelet(api, namespace);
  const addresses = new Map<string, string>();
  const limit = pLimit(PODS_AT_A_TIME);
  // Whatever is late or fails is tried again.
  const starts = createWorkQueue(
    (name) => limit(kubelet.running, name, addresses.get(name) as string),
    () => {},
  );
  const pods = createWatched<V1Pod>({
    list: (page) => api.listNamespacedPod({ namespace, ...page }),
    path: `/api/v1/namespaces/${namespace}/pods`,
    kubeConfig,
    changed(name) {
      if (addresses.has(name)) return;
      addresses.set(name, addressOf(addresses.size + 1));
      starts.add(name);
    },
    log: pino({ level: 'silent' }),
  });
  await pods.start();
  return true;
});

function addressOf(pod: number): string {
  return `127.${1 + (pod >> 16)}.${(pod >> 8) & 255}.${pod & 255}`;
}

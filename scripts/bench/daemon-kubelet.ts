/** Makes Pods Ready as soon as they are there, each at an address of loopback: no Pod runs anything. */
import type { V1Pod } from '@kubernetes/client-node';
import pino from 'pino';
import { connect, loadKubeConfig } from '../../daemon/kubernetes/connection.ts';
import { createWatched } from '../../daemon/kubernetes/watched.ts';
import { playKubelet } from '../../test/support/played-kubelet.ts';
import { answerAll } from './child.ts';

export interface Played {
  kubeconfig: string;
  namespace: string;
}

/** Answers when it follows the namespace. */
answerAll(async ({ kubeconfig, namespace }: Played): Promise<true> => {
  process.env.KUBECONFIG = kubeconfig; // as a daemon is told it
  const { api, kubeConfig } = connect(loadKubeConfig(process.env), () => {});
  const kubelet = playKubelet(api, namespace);
  const seen = new Set<string>();
  const pods = createWatched<V1Pod>({
    list: () => api.listNamespacedPod({ namespace }),
    path: `/api/v1/namespaces/${namespace}/pods`,
    kubeConfig,
    changed(name) {
      if (seen.has(name)) return;
      seen.add(name);
      void kubelet.running(name, addressOf(seen.size));
    },
    log: pino({ level: 'silent' }),
  });
  await pods.start();
  return true;
});

function addressOf(pod: number): string {
  return `127.${1 + (pod >> 16)}.${(pod >> 8) & 255}.${pod & 255}`;
}

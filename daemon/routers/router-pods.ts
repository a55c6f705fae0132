import type { CoreV1Api, KubeConfig, V1Pod } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { createWatched } from '../kubernetes/watched.ts';

export interface RouterPodsParts {
  api: CoreV1Api;
  kubeConfig: KubeConfig;
  /** Of the routers. */
  namespace: string;
  now: () => number;
  log: Logger;
}

/**
 * Since when the Pods of routers are not Ready. The Endpoints of their headless Service can't tell: it publishes
 * addresses that are not Ready among those that are (Kubernetes, endpoints_controller.go, addEndpointSubset). When a
 * node dies, the cluster says of its Pods that they are not Ready.
 */
export interface RouterPods {
  start(): void;
  /** Undefined if the Pod is Ready, or if that is not known at this moment. */
  unreadySince(pod: string): number | undefined;
  close(): void;
}

export function createRouterPods({ api, kubeConfig, namespace, now, log }: RouterPodsParts): RouterPods {
  const unready = new Map<string, { episode: string; since: number }>();
  const pods = createWatched<V1Pod>({
    list: (page) => api.listNamespacedPod({ namespace, ...page }),
    path: `/api/v1/namespaces/${namespace}/pods`,
    kubeConfig,
    changed: look,
    log,
  });

  function look(name: string): void {
    const episode = unreadyEpisode(pods.get(name));
    if (episode === undefined) unready.delete(name);
    else if (unready.get(name)?.episode !== episode) unready.set(name, { episode, since: now() });
  }

  return {
    start: () => void pods.start(),
    unreadySince: (pod) => (pods.isFresh() ? unready.get(pod)?.since : undefined),
    close: pods.close,
  };
}

/**
 * Tells one time of not being Ready from another, which a watch that broke may have missed the end of; undefined if the
 * Pod is Ready, or not there. (The cluster's clock is not ours, so its times are only compared with each other.)
 */
function unreadyEpisode(pod: V1Pod | undefined): string | undefined {
  const ready = pod?.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'False') return undefined;
  // A Date in a list, and text in a watch.
  return `${pod?.metadata?.uid} ${new Date(ready.lastTransitionTime ?? 0).getTime()}`;
}

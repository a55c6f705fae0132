import type { CoreV1Api, KubeConfig, V1Endpoints } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { createWatched } from '../runtime/kubernetes/watched.ts';

const PORT_NAME = 'admin';

export interface RouterDirectoryParts {
  api: CoreV1Api;
  kubeConfig: KubeConfig;
  service: { name: string; namespace: string };
  /** Called once at the start and whenever the routers are others than before. */
  found(addresses: string[]): void;
  log: Logger;
}

/**
 * Finds the routers of a cluster: the Endpoints of their headless Service. (Not EndpointSlices: Kubernetes 1.20 has
 * none of v1.) What was found last holds while the API is away and also when the object vanishes, for neither ends a
 * router.
 */
export interface RouterDirectory {
  /** Resolves when the API has answered and `found` was called; tries again until then. */
  start(): Promise<void>;
  close(): void;
}

export function createRouterDirectory(parts: RouterDirectoryParts): RouterDirectory {
  const { api, kubeConfig, service, found, log } = parts;
  const { name, namespace } = service;
  const fieldSelector = `metadata.name=${name}`;
  let known: string[] | undefined;
  const endpoints = createWatched<V1Endpoints>({
    list: () => api.listNamespacedEndpoints({ namespace, fieldSelector }),
    path: `/api/v1/namespaces/${namespace}/endpoints`,
    fieldSelector,
    kubeConfig,
    changed: look,
    log,
  });

  function look(): void {
    const present = endpoints.get(name);
    if (!present)
      log.warn({ service: `${name}.${namespace}`, kept: known ?? [] }, 'router service not found');
    tell(present ? addressesOf(present) : (known ?? []));
  }

  function tell(addresses: string[]): void {
    if (known !== undefined && known.join() === addresses.join()) return;
    known = addresses;
    found(addresses);
  }

  return {
    async start() {
      await endpoints.start();
      if (known === undefined) look();
    },
    close: endpoints.close,
  };
}

/**
 * The admin APIs of all routers, Ready or not, since one turns Ready only when it is filled. Sorted, each once.
 * @returns `http://ip:port`, an IPv6 address in brackets
 */
export function addressesOf({ subsets = [] }: V1Endpoints): string[] {
  const addresses = subsets.flatMap(
    ({ addresses: ready = [], notReadyAddresses: notReady = [], ports = [] }) => {
      const port = ports.find(({ name }) => name === PORT_NAME)?.port;
      if (port === undefined) return [];
      return [...ready, ...notReady].map(({ ip }) => `http://${ip.includes(':') ? `[${ip}]` : ip}:${port}`);
    },
  );
  return [...new Set(addresses)].sort();
}

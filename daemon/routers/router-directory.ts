import { isDeepStrictEqual } from 'node:util';
import type { CoreV1Api, KubeConfig, V1Endpoints } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { hostPort } from '../host-port.ts';
import { createWatched } from '../kubernetes/watched.ts';

const PORT_NAME = 'admin';

export interface RouterDirectoryParts {
  api: CoreV1Api;
  kubeConfig: KubeConfig;
  service: { name: string; namespace: string };
  /** Called once at the start and whenever the routers are others than before. */
  found(routers: FoundRouter[]): void;
  log: Logger;
}

export interface FoundRouter {
  /** Of its admin API: `http://ip:port`, an IPv6 address in brackets. */
  address: string;
  /** The name of its Pod; undefined if the Endpoints were written by hand. */
  pod: string | undefined;
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
  let known: FoundRouter[] | undefined;
  const endpoints = createWatched<V1Endpoints>({
    list: (page) => api.listNamespacedEndpoints({ namespace, fieldSelector, ...page }),
    path: `/api/v1/namespaces/${namespace}/endpoints`,
    fieldSelector,
    kubeConfig,
    changed: look,
    log,
  });

  function look(): void {
    const present = endpoints.get(name);
    if (!present)
      log.warn(
        { service: `${name}.${namespace}`, kept: (known ?? []).map(({ address }) => address) },
        'router service not found',
      );
    tell(present ? routersOf(present) : (known ?? []));
  }

  function tell(routers: FoundRouter[]): void {
    if (isDeepStrictEqual(known, routers)) return;
    known = routers;
    found(routers);
  }

  return {
    async start() {
      await endpoints.start();
      if (known === undefined) look();
    },
    close: endpoints.close,
  };
}

/** All routers, Ready or not, since one turns Ready only when it is filled. Sorted, each once. */
export function routersOf({ subsets = [] }: V1Endpoints): FoundRouter[] {
  const routers = subsets.flatMap(
    ({ addresses: ready = [], notReadyAddresses: notReady = [], ports = [] }) => {
      const port = ports.find(({ name }) => name === PORT_NAME)?.port;
      if (port === undefined) return [];
      return [...ready, ...notReady].map(({ ip, targetRef }) => ({
        address: `http://${hostPort(ip, port)}`,
        pod: targetRef?.name,
      }));
    },
  );
  const byAddress = new Map(routers.map((router) => [router.address, router]));
  return [...byAddress.keys()].sort().map((address) => byAddress.get(address) as FoundRouter);
}

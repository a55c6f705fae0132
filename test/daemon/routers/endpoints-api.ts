import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig, type V1EndpointSubset, type V1Endpoints } from '@kubernetes/client-node';
import type { ExecutionContext } from 'ava';

/** As much of the Kubernetes API as it takes to list and watch the Endpoints of one Service. */
export interface EndpointsApi {
  kubeConfig: KubeConfig;
  /** Path and query of every request. */
  requests: string[];
  /** Creates, changes or deletes the object. */
  set(subsets: V1EndpointSubset[] | 'deleted'): void;
  /** From now on every connection is cut, those that exist too. */
  away(): void;
  back(): void;
}

export async function endpointsApi(
  t: ExecutionContext,
  name: string,
  namespace: string,
): Promise<EndpointsApi> {
  const collection = `/api/v1/namespaces/${namespace}/endpoints`;
  const requests: string[] = [];
  const watches = new Set<ServerResponse>();
  let object: V1Endpoints | undefined;
  let version = 1;
  let present = true;

  const server = createServer((request, response) => {
    const url = new URL(request.url as string, 'http://api');
    requests.push(url.pathname + url.search);
    if (!present) return void request.socket.destroy();
    const mine =
      url.pathname === collection && url.searchParams.get('fieldSelector') === `metadata.name=${name}`;
    response.writeHead(mine ? 200 : 404, { 'content-type': 'application/json' });
    if (url.searchParams.get('watch') !== 'true') {
      const metadata = { resourceVersion: String(version) };
      response.end(
        JSON.stringify({ kind: 'EndpointsList', apiVersion: 'v1', metadata, items: object ? [object] : [] }),
      );
      return;
    }
    response.flushHeaders();
    watches.add(response);
    response.on('close', () => watches.delete(response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });

  const kubeConfig = new KubeConfig();
  const { port } = server.address() as AddressInfo;
  const cluster = { name: 'test', server: `http://127.0.0.1:${port}`, skipTLSVerify: true };
  kubeConfig.loadFromClusterAndUser(cluster, { name: 'test' });
  return {
    kubeConfig,
    requests,
    set(subsets) {
      version += 1;
      const before = object;
      const changed: V1Endpoints = {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: { name, namespace, uid: 'uid', resourceVersion: String(version) },
        ...(subsets === 'deleted' ? {} : { subsets }),
      };
      object = subsets === 'deleted' ? undefined : changed;
      const type = subsets === 'deleted' ? 'DELETED' : before ? 'MODIFIED' : 'ADDED';
      for (const watch of watches) watch.write(`${JSON.stringify({ type, object: changed })}\n`);
    },
    away() {
      present = false;
      server.closeAllConnections();
    },
    back() {
      present = true;
    },
  };
}

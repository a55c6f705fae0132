import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import type { ExecutionContext } from 'ava';

/** As much of the Kubernetes API as it takes to list and watch one kind of object in one namespace. */
export interface CollectionApi {
  kubeConfig: KubeConfig;
  /** Path and query of every request. */
  requests: string[];
  /** Creates, changes or deletes an object; what is given are its fields. */
  set(name: string, fields: { metadata?: object; [field: string]: unknown } | 'deleted'): void;
  /** From now on every connection is cut, those that exist too. */
  away(): void;
  back(): void;
}

interface Stored {
  metadata: { name: string };
}

export async function collectionApi(
  t: ExecutionContext,
  plural: 'endpoints' | 'pods' | 'services',
  namespace: string,
): Promise<CollectionApi> {
  const collection = `/api/v1/namespaces/${namespace}/${plural}`;
  const requests: string[] = [];
  const watches = new Map<ServerResponse, string | null>();
  const objects = new Map<string, Stored>();
  let version = 1;
  let present = true;

  const isSelected = (name: string, selector: string | null | undefined) =>
    !selector || selector === `metadata.name=${name}`;

  const server = createServer((request, response) => {
    const url = new URL(request.url as string, 'http://api');
    requests.push(url.pathname + url.search);
    if (!present) return void request.socket.destroy();
    response.writeHead(url.pathname === collection ? 200 : 404, { 'content-type': 'application/json' });
    const selector = url.searchParams.get('fieldSelector');
    if (url.searchParams.get('watch') !== 'true') {
      const items = [...objects.values()].filter(({ metadata }) => isSelected(metadata.name, selector));
      const from = Number(url.searchParams.get('continue') ?? 0);
      const to = from + Number(url.searchParams.get('limit') ?? items.length);
      const metadata = { resourceVersion: `${version}`, ...(to < items.length && { continue: `${to}` }) };
      response.end(JSON.stringify({ apiVersion: 'v1', metadata, items: items.slice(from, to) }));
      return;
    }
    response.flushHeaders();
    watches.set(response, selector);
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
    set(name, fields) {
      version += 1;
      const known = fields === 'deleted' ? {} : fields;
      const own = { name, namespace, uid: `uid-${name}`, resourceVersion: `${version}` };
      const object = { ...known, metadata: { ...known.metadata, ...own } };
      const type = fields === 'deleted' ? 'DELETED' : objects.has(name) ? 'MODIFIED' : 'ADDED';
      if (fields === 'deleted') objects.delete(name);
      else objects.set(name, object);
      for (const [watch, selector] of watches) {
        if (isSelected(name, selector)) watch.write(`${JSON.stringify({ type, object })}\n`);
      }
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

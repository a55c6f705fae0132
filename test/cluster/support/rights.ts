import { RbacAuthorizationV1Api } from '@kubernetes/client-node';
import { auditLog } from './api-server.ts';
import { theCluster } from './cluster.ts';

const DAEMON = 'spawner-daemon';
const namespaces = ['spawner', 'spawner-sessions'];

/** What deploy/access.yaml lets the daemon do, such as `spawner-sessions: create pods`, in order. */
export async function grantedRights(): Promise<string[]> {
  const api = theCluster().config.makeApiClient(RbacAuthorizationV1Api);
  const rights = namespaces.map(async (namespace) => {
    const { rules } = await api.readNamespacedRole({ namespace, name: DAEMON });
    return (rules ?? []).flatMap(({ resources, verbs }) =>
      (resources ?? []).flatMap((resource) => verbs.map((verb) => `${namespace}: ${verb} ${resource}`)),
    );
  });
  return (await Promise.all(rights)).flat().sort();
}

/**
 * What the daemon has tried since then, each kind once and in order, with `refused` if it may not. Own cluster only.
 * Mind that one that is being uninstalled loses its rights before it ends.
 */
export async function triedRights(since: Date): Promise<string[]> {
  const tried = (await auditLog())
    .filter(({ account, at }) => account === DAEMON && at >= since)
    .map(({ allowed, namespace, verb, resource }) =>
      [`${namespace}:`, verb, resource, ...(allowed ? [] : ['refused'])].join(' '),
    );
  return [...new Set(tried)].sort();
}

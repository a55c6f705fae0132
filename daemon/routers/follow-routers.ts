import type { Logger } from 'pino';
import type { Connection } from '../kubernetes/connection.ts';
import type { FoundRouter } from './router-directory.ts';
import type { RouterPods } from './router-pods.ts';
import type { RouterMember, Routers } from './routers.ts';

const SERVICE = 'service:';

/** Whether `--router` names a Service, whose Endpoints are routers, and not one router. */
export function isService(router: string): boolean {
  return router.startsWith(SERVICE);
}

/**
 * Follows the routers that are named by address, and those behind the Services that are named, as they come and go.
 * It begins, and resolves, when all Services were found once: what only some routers know of a session proves nothing.
 * @param cluster not undefined if any Service is named
 * @param now the clock of `routers`
 */
export async function followRouters(
  named: string[],
  routers: Pick<Routers, 'follow'>,
  cluster: Pick<Connection, 'api' | 'kubeConfig'> | undefined,
  log: Logger,
  now: () => number = () => performance.now(),
): Promise<void> {
  const members = new Map<string, RouterMember[]>();
  const services = named.filter(isService);
  const follow = () => {
    if (services.every((service) => members.has(service))) routers.follow([...members.values()].flat());
  };
  const addresses = named.filter((router) => !isService(router));
  members.set(
    '',
    addresses.map((address) => ({ address, discovered: false })),
  );
  follow();
  if (services.length === 0) return;
  // They load the client of Kubernetes.
  const { createRouterDirectory } = await import('./router-directory.ts');
  const { createRouterPods } = await import('./router-pods.ts');
  const directories = services.map((router) => {
    const [name = '', namespace = ''] = router.slice(SERVICE.length).split('.');
    const pods = createRouterPods({ ...(cluster as Connection), namespace, now, log });
    pods.start();
    return createRouterDirectory({
      ...(cluster as Connection),
      service: { name, namespace },
      found(found) {
        members.set(
          router,
          found.map((one) => memberOf(one, pods)),
        );
        follow();
      },
      log,
    });
  });
  await Promise.all(directories.map((directory) => directory.start()));
}

function memberOf({ address, pod }: FoundRouter, pods: RouterPods): RouterMember {
  if (pod === undefined) return { address, discovered: true };
  return { address, discovered: true, unreadySince: () => pods.unreadySince(pod) };
}

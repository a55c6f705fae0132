/** Where a Pod's session is reached: as the Pod itself says, which a daemon with other settings may have made. Pure. */
import type { V1Pod } from '@kubernetes/client-node';
import { hostPort } from '../../host-port.ts';
import type { Place } from '../runtime.ts';
import { APP_CONTAINER, SIDECAR_CONTAINER, SIDECAR_PORT } from './names.ts';

/** Undefined as long as it has no address, or if nobody can tell where its app listens. */
export function podPlace(pod: V1Pod): Place | undefined {
  const ip = pod.status?.podIP;
  const port = applicationPort(pod);
  if (!ip || port === undefined) return undefined;
  const backend = address(ip, port);
  const hasSidecar = pod.spec?.containers.some(({ name }) => name === SIDECAR_CONTAINER);
  return hasSidecar ? { backend, statusAddress: address(ip, SIDECAR_PORT) } : { backend };
}

/** The `PORT` that its app was told; undefined if somebody else changed that. */
export function applicationPort({ spec }: V1Pod): number | undefined {
  const app = spec?.containers.find(({ name }) => name === APP_CONTAINER);
  const told = app?.env?.find(({ name }) => name === 'PORT')?.value;
  return told === undefined ? undefined : Number(told);
}

/** `ip:port`, as routers take it. */
function address(ip: string, port: number): string {
  return hostPort(ip.toLowerCase(), port);
}

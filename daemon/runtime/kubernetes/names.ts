/** What Spawner's objects in a cluster are called. deploy/ and docs/kubernetes.md say the same. */
export const SESSION_LABEL = 'spawner/session';
/** Has DNS tell routers of the Pod: deploy/shards.yaml. */
export const SHARD_LABEL = 'spawner/shard';
/** Holds what a daemon has to know of a session that an earlier one made. */
export const SESSION_ANNOTATION = 'spawner/session';
export const APP_CONTAINER = 'app';
/** The app's port, by the name that deploy/network.yaml uses. */
export const APP_PORT_NAME = 'spawner-app';
export const SIDECAR_CONTAINER = 'spawner-sidecar';
/** Where nginx/sidecar.conf listens. */
export const SIDECAR_PORT = 9118;

/** Of a session's Pod and of its Service. It begins with a letter, as a Service's name has to. */
export function objectName(id: string): string {
  return `session-${id}`;
}

import type { CoreV1Api, V1Pod } from '@kubernetes/client-node';
import { APP_CONTAINER } from './names.ts';

const SHOWN_LINES = 20;
const SHOWN_BYTES = 8 * 1024;

/** The last lines the app wrote; none if they can't be read. */
export async function lastLines(api: CoreV1Api, pod: V1Pod): Promise<string[]> {
  const { name = '', namespace = '' } = pod.metadata ?? {};
  const text = await api
    .readNamespacedPodLog({
      name,
      namespace,
      container: APP_CONTAINER,
      tailLines: SHOWN_LINES,
      limitBytes: SHOWN_BYTES,
      previous: hasCrashed(pod),
    })
    .catch(() => '');
  const lines = (text ?? '').trimEnd();
  return lines === '' ? [] : lines.split('\n');
}

/** After a crash the new container has said nothing yet. */
function hasCrashed({ status }: V1Pod): boolean {
  const app = status?.containerStatuses?.find(({ name }) => name === APP_CONTAINER);
  return app?.state?.waiting !== undefined && app.lastState?.terminated !== undefined;
}

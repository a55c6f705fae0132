import type { CoreV1Api, V1Pod } from '@kubernetes/client-node';
import { APP_CONTAINER } from './names.ts';

const SHOWN_LINES = 20;
const SHOWN_BYTES = 8 * 1024;
// The API's limit keeps the beginning of those lines, and the end is what counts.
const READ_BYTES = 64 * 1024;

/** The last lines the app wrote; none if they can't be read. */
export async function lastLines(api: CoreV1Api, pod: V1Pod): Promise<string[]> {
  const { name = '', namespace = '' } = pod.metadata ?? {};
  const text = await api
    .readNamespacedPodLog({
      name,
      namespace,
      container: APP_CONTAINER,
      tailLines: SHOWN_LINES,
      limitBytes: READ_BYTES,
      previous: hasCrashed(pod),
    })
    .catch(() => '');
  return lastPart(text ?? '');
}

/** The lines of the text's last 8 KB. */
export function lastPart(text: string): string[] {
  const bytes = Buffer.from(text.trimEnd());
  // A character that was cut in two is no longer one.
  const end = bytes
    .subarray(-SHOWN_BYTES)
    .toString()
    .replace(/^\uFFFD+/, '');
  return end === '' ? [] : end.split('\n');
}

/** After a crash the new container has said nothing yet. */
function hasCrashed({ status }: V1Pod): boolean {
  const app = status?.containerStatuses?.find(({ name }) => name === APP_CONTAINER);
  return app?.state?.waiting !== undefined && app.lastState?.terminated !== undefined;
}

/**
 * Asks the API server whether it would take the operator's Pods, by a create that changes nothing. What it would drop
 * without a word (a misspelt field: servers before 1.25 do) shows by its absence from what it answers.
 */
import type { CoreV1Api, V1Pod } from '@kubernetes/client-node';
import { describeApiError, isStatus } from '../../kubernetes/api-error.ts';

/** @returns what is wrong with the template, by its path in the Pod, or undefined */
export async function findTemplateProblem(api: CoreV1Api, pod: V1Pod): Promise<string | undefined> {
  const namespace = pod.metadata?.namespace as string;
  try {
    const taken = await api.createNamespacedPod({ namespace, body: pod, dryRun: 'All' });
    const [dropped] = droppedFields(pod.spec, taken.spec, 'spec');
    return dropped === undefined ? undefined : `${named(dropped, pod)}: the cluster knows no such field`;
  } catch (error) {
    if (isStatus(error, 422) || isStatus(error, 400)) return named(describeApiError(error), pod);
    throw error;
  }
}

/** Paths of what was sent and did not come back. The server adds fields and changes how values are written. */
export function droppedFields(sent: unknown, taken: unknown, path: string): string[] {
  if (sent === undefined || sent === null || isEmpty(sent)) return [];
  if (taken === undefined || taken === null) return [path];
  if (typeof sent !== 'object' || typeof taken !== 'object') return [];
  return Object.entries(sent).flatMap(([key, value]) => {
    const place = Array.isArray(sent) ? `${path}[${key}]` : `${path}.${key}`;
    return droppedFields(value, (taken as Record<string, unknown>)[key], place);
  });
}

function isEmpty(value: unknown): boolean {
  return (
    value === '' ||
    value === false ||
    value === 0 ||
    (typeof value === 'object' && Object.keys(value as object).length === 0)
  );
}

/** Spawner adds containers, so an operator finds one by its name and not by its number. */
function named(text: string, { spec }: V1Pod): string {
  return text.replace(
    /\bspec\.(containers|initContainers)\[(\d+)\]/g,
    (whole, list: 'containers', index: string) => {
      const name = spec?.[list]?.[Number(index)]?.name;
      return name === undefined ? whole : `spec.${list}[${name}]`;
    },
  );
}

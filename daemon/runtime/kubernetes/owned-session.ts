import type { V1Pod } from '@kubernetes/client-node';
import { z } from 'zod';
import { isSessionId } from '../../../njs/route.ts';
import { parseJson } from '../../parse-json.ts';
import type { OwnSpec } from '../../session.ts';
import type { OwnedSession } from '../runtime.ts';
import { objectName, SESSION_ANNOTATION, SESSION_LABEL } from './names.ts';

const annotationSchema = z.object({
  createdAt: z.number(),
  labels: z.record(z.string(), z.string()),
  idempotency: z.object({ key: z.string(), digest: z.string() }).nullable(),
  /** Absent from Pods that were made before there were tokens. */
  tokenEpoch: z.number().nullable().default(null),
});

/** What a Pod says of the session that it is made for. */
export function sessionAnnotation({ createdAt, labels, idempotency, tokenEpoch }: OwnSpec): string {
  return JSON.stringify({ createdAt, labels, idempotency, tokenEpoch });
}

// All of them are gone through every few seconds, and a Pod that changes is another object.
const read = new WeakMap<V1Pod, OwnedSession | undefined>();

/** The session that a Pod was made for; undefined if no daemon made it like this. */
export function ownedSession(pod: V1Pod): OwnedSession | undefined {
  if (!read.has(pod)) read.set(pod, readSession(pod));
  return read.get(pod);
}

function readSession({ metadata }: V1Pod): OwnedSession | undefined {
  const id = metadata?.labels?.[SESSION_LABEL] ?? '';
  const annotation = annotationSchema.safeParse(parseJson(metadata?.annotations?.[SESSION_ANNOTATION] ?? ''));
  if (!isSessionId(id) || metadata?.name !== objectName(id) || !annotation.success) return undefined;
  return { id, ...annotation.data, deleted: metadata.deletionTimestamp !== undefined };
}

/** The operator's part of a session's Pod: a file in YAML or JSON with the form of a Pod. */
import { readFileSync } from 'node:fs';
import { loadYaml, type V1Container, type V1PodSpec } from '@kubernetes/client-node';
import { z } from 'zod';
import { ConfigError } from '../../errors.ts';
import { APP_CONTAINER, SIDECAR_CONTAINER } from './names.ts';

export interface PodTemplate {
  metadata: { labels: Record<string, string>; annotations: Record<string, string> };
  spec: V1PodSpec;
}

export const EMPTY_TEMPLATE: PodTemplate = {
  metadata: { labels: {}, annotations: {} },
  spec: { containers: [] },
};

const names = z.record(
  z.string().refine((name) => !name.startsWith('spawner/'), 'names below spawner/ belong to Spawner'),
  z.string('a text: write numbers and true or false in quotes'),
);

// The API server's own complaint of a bad one shows bytes of the request and no path.
// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
const QUANTITY = /^\+?(\d+\.?\d*|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?\d+)?$/;

const quantities = z
  .record(
    z.string(),
    z.unknown().refine((value) => QUANTITY.test(String(value)), {
      error: ({ input }) => `${JSON.stringify(input)} is no quantity, such as 500m or 2Gi`,
    }),
  )
  .optional();

const containerSchema = z
  .looseObject({
    name: z.string('every container needs a name; that of the app is "app"'),
    image: z.string().optional(),
    env: z.array(z.looseObject({ name: z.string() })).optional(),
    resources: z.looseObject({ limits: quantities, requests: quantities }).optional(),
  })
  .superRefine(({ name, image }, context) => {
    const problem = problemOf(name, image);
    if (problem !== undefined) context.addIssue({ code: 'custom', path: ['image'], message: problem });
  });

function problemOf(name: string, image: string | undefined): string | undefined {
  if (name === SIDECAR_CONTAINER)
    return `the name ${SIDECAR_CONTAINER} is taken by Spawner (--sidecar-image)`;
  if (name === APP_CONTAINER)
    return image === undefined ? undefined : 'the image of the app is set by --application-image';
  return image === undefined ? 'a container beside that of the app needs an image' : undefined;
}

const none = (why: string) => z.undefined(why).optional();

// What Spawner relies on. The rest of a Pod is the API server's to judge: see template-check.ts.
const templateSchema = z.strictObject({
  apiVersion: z.literal('v1').optional(),
  kind: z.literal('Pod').optional(),
  metadata: z
    .strictObject({ labels: names.default({}), annotations: names.default({}) })
    .default({ labels: {}, annotations: {} }),
  spec: z
    .looseObject({
      containers: z.array(containerSchema).default([]),
      hostNetwork: z.literal(false, 'a session needs an address of its own').optional(),
      volumes: z.array(z.looseObject({ name: z.string() })).optional(),
      ephemeralContainers: none('Pods are not made with them'),
    })
    .default({ containers: [] }),
});

/** @throws {ConfigError} that names the file and the path in it */
export function readPodTemplate(file: string): PodTemplate {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`--pod-template ${file} can't be read: ${(error as Error).message}`);
  }
  try {
    return parsePodTemplate(text);
  } catch (error) {
    throw new ConfigError(`--pod-template ${file}: ${(error as Error).message}`);
  }
}

export function parsePodTemplate(text: string): PodTemplate {
  const document = parseYaml(text);
  const result = templateSchema.safeParse(document);
  if (!result.success) {
    const [issue] = result.error.issues as [z.core.$ZodIssue];
    const key = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const at = containerPath([...issue.path, ...key], document);
    const message = issue.code === 'unrecognized_keys' ? 'not a part of a template' : issue.message;
    throw new Error(`${at === '' ? 'the document' : at}: ${message}`);
  }
  const { metadata, spec } = result.data;
  // Checked above as far as it concerns us, and by the API server for the rest.
  return { metadata, spec: spec as unknown as V1PodSpec };
}

function parseYaml(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return loadYaml(text) ?? {};
  } catch (error) {
    // The lines that follow show the place as a drawing.
    throw new Error((error as Error).message.split('\n')[0]);
  }
}

function containerPath(path: PropertyKey[], document: unknown): string {
  let value: unknown = document;
  let text = '';
  for (const part of path) {
    value = (value as Record<PropertyKey, unknown> | undefined)?.[part];
    if (typeof part !== 'number') text += text === '' ? String(part) : `.${String(part)}`;
    else text += `[${(value as V1Container | undefined)?.name ?? part}]`;
  }
  return text;
}

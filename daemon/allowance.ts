/** What a caller of `/init` may choose for its session beyond what the operator set. Pure. */
import { ApiError } from './errors.ts';
import type { SessionResources } from './session.ts';

/** Quantities are Kubernetes' own: `500m`, `2`, `512Mi`. */
export interface Allowance {
  /** Patterns: `*` stands for any characters but `/`, `**` for any. */
  images: string[];
  maxCpu: string | undefined;
  maxMemory: string | undefined;
}

export interface Choice {
  image?: string | undefined;
  resources?: SessionResources | undefined;
}

/** @param allowance undefined where sessions are processes. @throws {ApiError} 403 */
export function assertAllowed({ image, resources }: Choice, allowance: Allowance | undefined): void {
  if (!allowance) {
    if (image !== undefined) throw refused('image', 'sessions are processes here, without images');
    if (resources) throw refused('resources', 'sessions are processes here, without limits');
    return;
  }
  if (image !== undefined && !allowance.images.some((pattern) => matches(pattern, image))) {
    throw refused('image', `${image} matches no pattern of --allow-image`);
  }
  const asked = [resources?.requests, resources?.limits].flatMap((list) => Object.entries(list ?? {}));
  for (const [name, quantity] of asked) assertWithin(name, quantity, allowance);
}

function assertWithin(name: string, quantity: string, { maxCpu, maxMemory }: Allowance): void {
  const [flag, most] = name === 'cpu' ? ['--max-cpu', maxCpu] : ['--max-memory', maxMemory];
  if (most === undefined) throw refused('resources', `${name} can't be chosen here (${flag} is not set)`);
  if (scalar(quantity) > scalar(most))
    throw refused('resources', `${name} ${quantity} is more than ${most} (${flag})`);
}

function refused(what: 'image' | 'resources', why: string): ApiError {
  return new ApiError(403, `${what}_not_allowed`, `The ${what} of a session: ${why}.`);
}

export function matches(pattern: string, image: string): boolean {
  const parts = pattern.split(/(\*\*|\*)/).map((part) => {
    if (part === '**') return '.*';
    return part === '*' ? '[^/]*' : part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`).test(image);
}

// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/, without exponents
const QUANTITY = /^(\d{1,15}(?:\.\d{1,9})?)(m|k|[KMGTP]i|[MGTP])?$/;
const DECIMAL = 'kMGTP';

export function isQuantity(text: string): boolean {
  return scalar(text) > 0;
}

/** NaN for what is no quantity. */
function scalar(quantity: string): number {
  const [, digits, unit = ''] = QUANTITY.exec(quantity) ?? [];
  if (unit === 'm') return Number(digits) / 1000;
  const power = DECIMAL.indexOf(unit.charAt(0).replace('K', 'k')) + 1;
  return Number(digits) * (unit.endsWith('i') ? 1024 : 1000) ** (unit === '' ? 0 : power);
}

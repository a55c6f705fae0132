import { isAddress, isGeneration, isSessionId, isTokenDigest, type RouteState } from './route.ts';

/** Pure: the grammar of a write to the table. Nothing of a batch is applied unless all of it is right. */
export interface Put {
  id: string;
  state: RouteState;
  address: string;
  /** '' for a session that asks for no token. */
  tokenDigest: string;
}

export interface Batch {
  generation: number;
  put: Put[];
  delete: string[];
  forget: string[];
}

export const MAX_ENTRIES = 500;

/** The batch, or a text that says what is wrong with it. */
export function parseBatch(value: unknown): Batch | string {
  if (!isRecord(value)) {
    return 'the body must be a JSON object';
  }
  const fields = ['generation', 'put', 'delete', 'forget'];
  const put = value.put === undefined ? {} : value.put;
  const deletes = value.delete === undefined ? [] : value.delete;
  const forget = value.forget === undefined ? [] : value.forget;
  const wrong =
    unknownField(value, fields) ||
    wrongGeneration(value.generation) ||
    wrongPuts(put) ||
    wrongIds(deletes, 'delete') ||
    wrongIds(forget, 'forget');
  if (wrong !== '') {
    return wrong;
  }
  return (
    wrongRepetition(put as { [id: string]: unknown }, (deletes as string[]).concat(forget as string[])) || {
      generation: value.generation as number,
      put: toPuts(put as { [id: string]: { [field: string]: unknown } }),
      delete: deletes as string[],
      forget: forget as string[],
    }
  );
}

export function countEntries(batch: Batch): number {
  return batch.put.length + batch.delete.length + batch.forget.length;
}

function wrongPuts(put: unknown): string {
  if (!isRecord(put)) {
    return '"put" must be an object from session id to route';
  }
  return firstProblem(Object.keys(put), (id) => {
    const problem = wrongId(id, 'put');
    if (problem !== '') {
      return problem;
    }
    const wrong = wrongRoute(put[id]);
    return wrong === '' ? '' : `"put"."${id}"${wrong}`;
  });
}

/** What follows the route's name. */
function wrongRoute(route: unknown): string {
  if (!isRecord(route)) {
    return ' must be an object';
  }
  const state = route.state;
  const address = route.address === undefined ? '' : route.address;
  if (state !== 'starting' && state !== 'ready' && state !== 'draining') {
    return ': "state" must be "starting", "ready" or "draining"';
  }
  if (address === '' && state !== 'starting') {
    return `: a route that is ${state} needs an "address"`;
  }
  if (address !== '' && (typeof address !== 'string' || !isAddress(address))) {
    return ': "address" must be ip:port';
  }
  const digest = route.tokenDigest;
  if (digest !== undefined && (typeof digest !== 'string' || !isTokenDigest(digest))) {
    return ': "tokenDigest" must be a SHA-256 in base64url, 43 characters';
  }
  const unknown = unknownField(route, ['state', 'address', 'tokenDigest']);
  return unknown === '' ? '' : `: ${unknown}`;
}

function wrongIds(ids: unknown, field: string): string {
  if (!Array.isArray(ids)) {
    return `"${field}" must be an array of session ids`;
  }
  return firstProblem(ids, (id) => wrongId(id, field));
}

function wrongId(id: unknown, field: string): string {
  return typeof id === 'string' && isSessionId(id) ? '' : `"${field}" holds what is not a session id`;
}

function wrongGeneration(generation: unknown): string {
  return isGeneration(generation) ? '' : '"generation" must be a whole number from 1 on';
}

/** An object can't name an id twice. */
function wrongRepetition(put: { [id: string]: unknown }, others: string[]): string {
  const seen: { [id: string]: boolean } = {};
  return firstProblem(others, (id) => {
    const repeated = seen[id] === true || put[id] !== undefined;
    seen[id] = true;
    return repeated ? `the session id ${id} stands in the batch twice` : '';
  });
}

function unknownField(record: { [field: string]: unknown }, known: string[]): string {
  return firstProblem(Object.keys(record), (field) =>
    known.includes(field) ? '' : `unknown field ${JSON.stringify(field)}`,
  );
}

function toPuts(put: { [id: string]: { [field: string]: unknown } }): Put[] {
  return Object.keys(put).map((id) => {
    const route = put[id] as { [field: string]: unknown };
    return {
      id,
      state: route.state as RouteState,
      address: (route.address || '') as string,
      tokenDigest: (route.tokenDigest || '') as string,
    };
  });
}

function firstProblem<T>(items: T[], problemOf: (item: T) => string): string {
  for (let i = 0; i < items.length; i += 1) {
    const problem = problemOf(items[i] as T);
    if (problem !== '') {
      return problem;
    }
  }
  return '';
}

function isRecord(value: unknown): value is { [field: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

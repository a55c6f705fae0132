import { type Backend, parseBackend } from './backends.ts';
import { isGeneration, isSessionId, isTokenDigest, type Target } from './route.ts';

/** Pure: the grammar of a write to the table. Nothing of a batch is applied unless all of it is right. */
export interface Put extends Target {
  id: string;
  /** What the address means; undefined without one, and for IPv6 that stands for nothing. */
  backend: Backend | undefined;
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
  const deletes = value.delete === undefined ? [] : value.delete;
  const forget = value.forget === undefined ? [] : value.forget;
  const wrong =
    unknownField(value, fields) ||
    wrongGeneration(value.generation) ||
    wrongIds(deletes, 'delete') ||
    wrongIds(forget, 'forget');
  if (wrong !== '') {
    return wrong;
  }
  const put = value.put === undefined ? {} : value.put;
  if (!isRecord(put)) {
    return '"put" must be an object from session id to route';
  }
  const puts = parsePuts(put);
  if (typeof puts === 'string') {
    return puts;
  }
  return (
    wrongRepetition(put, (deletes as string[]).concat(forget as string[])) || {
      generation: value.generation as number,
      put: puts,
      delete: deletes as string[],
      forget: forget as string[],
    }
  );
}

export function countEntries(batch: Batch): number {
  return batch.put.length + batch.delete.length + batch.forget.length;
}

/** In one pass: a batch is mostly this. */
function parsePuts(put: { [id: string]: unknown }): Put[] | string {
  const ids = Object.keys(put);
  const puts: Put[] = [];
  for (let i = 0; i < ids.length; i += 1) {
    const id = ids[i] as string;
    if (!isSessionId(id)) {
      return wrongId(id, 'put');
    }
    const parsed = parsePut(id, put[id]);
    if (typeof parsed === 'string') {
      return `"put"."${id}"${parsed}`;
    }
    puts.push(parsed);
  }
  return puts;
}

/** What is wrong follows the route's name. */
function parsePut(id: string, route: unknown): Put | string {
  if (!isRecord(route)) {
    return ' must be an object';
  }
  const state = route.state;
  const digest = route.tokenDigest;
  const address = route.address === undefined ? '' : route.address;
  if (state !== 'ready' && state !== 'starting' && state !== 'draining') {
    return ': "state" must be "starting", "ready" or "draining"';
  }
  if (address === '' && state !== 'starting') {
    return `: a route that is ${state} needs an "address"`;
  }
  const backend = typeof address === 'string' && address !== '' ? parseBackend(address) : undefined;
  if (backend === undefined && address !== '') {
    return ': "address" must be ip:port';
  }
  if (digest !== undefined && (typeof digest !== 'string' || !isTokenDigest(digest))) {
    return ': "tokenDigest" must be a SHA-256 in base64url, 43 characters';
  }
  // Only who has more fields than were seen here has an unknown one.
  const seen = 1 + (route.address === undefined ? 0 : 1) + (digest === undefined ? 0 : 1);
  const unknown =
    Object.keys(route).length === seen ? '' : unknownField(route, ['state', 'address', 'tokenDigest']);
  return unknown === ''
    ? { id, state, address: address as string, tokenDigest: digest || '', backend }
    : `: ${unknown}`;
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
  const fields = Object.keys(record);
  for (let i = 0; i < fields.length; i += 1) {
    const field = fields[i] as string;
    if (!known.includes(field)) {
      return `unknown field ${JSON.stringify(field)}`;
    }
  }
  return '';
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

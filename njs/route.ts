/**
 * The route format: what the daemon sends to a router and what a router keeps in its shared dict.
 * Pure, and written to the language subset of nginx's njs engine, because both sides compile it.
 */

import {
  ADDRESS_START,
  ADDRESS_WIDTH,
  DIGEST_START,
  DIGEST_WIDTH,
  DIRECT,
  GENERATION_WIDTH,
  POOLED,
  SID_WIDTH,
  UNTRIED,
  WITH_TOKEN,
} from './route-layout.ts';

/**
 * - `starting`: the session exists, nobody listens yet; requests are held.
 * - `ready`: requests go to `address`.
 * - `draining`: about to end; new requests are told 503.
 * - `gone`: a tombstone: remembers the generation of a delete, so that a late older write can't bring it back.
 */
export type RouteState = 'starting' | 'ready' | 'draining' | 'gone';

/**
 * - `address`: `ip:port`, or empty while nobody knows it (`starting`) or needs it (`gone`).
 * - `tokenDigest`: base64url(SHA-256) of the access token that visitors must show; empty if they need none.
 */
export interface Target {
  state: RouteState;
  address: string;
  tokenDigest: string;
}

export interface Route extends Target {
  generation: number;
}

/**
 * How a router reaches a ready backend: over connections that it keeps (`pooled`), or over a new one for each request
 * (`direct`). `untried`: it keeps some, but its nginx may not know this backend yet.
 */
export type Way = 'direct' | 'pooled' | 'untried';

/** `sid`: the 32 characters by which nginx finds the backend in its pool; '' on the direct way. */
export interface PoolPlace {
  way: Way;
  sid: string;
}

export const ID_LENGTH = 26;

const ID = /^[a-z0-9]{26}$/;
const DIGEST = /^[A-Za-z0-9_-]{43}$/;
const STATE_TO_MARK = { starting: 's', ready: 'r', draining: 'd', gone: 'g' };
const WAY_TO_MARK = { direct: 'r', pooled: 'p', untried: 'u' };
const MARK_TO_STATE: { [mark: string]: RouteState | undefined } = {
  s: 'starting',
  r: 'ready',
  p: 'ready',
  u: 'ready',
  d: 'draining',
  g: 'gone',
};

export function isSessionId(text: string): boolean {
  return ID.test(text);
}

export function isGeneration(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** A SHA-256 in base64url, as Node's `digest('base64url')` writes it. */
export function isTokenDigest(text: string): boolean {
  return DIGEST.test(text);
}

/**
 * @param generation of `encodeGeneration`: a batch has one, so its text is made once
 * @param place undefined in a router without a pool
 */
export function encodeRoute(route: Target, generation: string, place: PoolPlace | undefined): string {
  const ready = place === undefined ? 'r' : WAY_TO_MARK[place.way];
  const mark = route.state === 'ready' ? ready : STATE_TO_MARK[route.state];
  const sid = place === undefined ? '' : place.sid.padEnd(SID_WIDTH);
  return mark + generation + route.address.padEnd(ADDRESS_WIDTH) + route.tokenDigest + sid;
}

export function encodeGeneration(generation: number): string {
  return generation.toString(36).padStart(GENERATION_WIDTH, '0');
}

/** Undefined for a text that `encodeRoute` never wrote. */
export function decodeRoute(text: string): Route | undefined {
  const state = MARK_TO_STATE[text.charAt(0)];
  const generation = parseInt(text.slice(1, ADDRESS_START), 36);
  if (state === undefined || !isGeneration(generation)) {
    return undefined;
  }
  return { state, generation, address: addressOf(text), tokenDigest: tokenDigestOf(text) };
}

/** The address of a `ready` route, or ''. */
export function readyAddress(text: string): string {
  const mark = text.charCodeAt(0);
  return mark === DIRECT || mark === POOLED || mark === UNTRIED ? addressOf(text) : '';
}

export function isUntried(text: string): boolean {
  return text.charCodeAt(0) === UNTRIED;
}

/** The same route, after its backend was found in the pool, or was not. */
export function asTried(text: string, found: boolean): string {
  return (found ? WAY_TO_MARK.pooled : WAY_TO_MARK.untried) + text.slice(1);
}

/** The digest of an encoded route, or empty. */
export function tokenDigestOf(text: string): string {
  return text.length >= WITH_TOKEN ? text.slice(DIGEST_START, DIGEST_START + DIGEST_WIDTH) : '';
}

function addressOf(text: string): string {
  return text.slice(ADDRESS_START, text.indexOf(' ', ADDRESS_START));
}

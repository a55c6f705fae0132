/**
 * The route format: what the daemon sends to a router and what a router keeps in its shared dict.
 * Pure, and written to the language subset of nginx's njs engine, because both sides compile it.
 */

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
export interface Route {
  state: RouteState;
  generation: number;
  address: string;
  tokenDigest: string;
}

export const ID_LENGTH = 26;

const ID = /^[a-z0-9]{26}$/;
const DIGEST = /^[A-Za-z0-9_-]{43}$/;
const STATE_TO_MARK = { starting: 's', ready: 'r', draining: 'd', gone: 'g' };
const MARK_TO_STATE: { [mark: string]: RouteState | undefined } = {
  s: 'starting',
  r: 'ready',
  d: 'draining',
  g: 'gone',
};

// A value never changes its length. In a full shared dict nginx can still overwrite an entry in place, but it
// can't grow one; so the step from `starting` to `ready` to `gone` always fits once the route was accepted.
// So a tombstone keeps its digest, and a route never gains or loses one: it may only change.
const GENERATION_WIDTH = 11; // 2^53 in base 36
const ADDRESS_WIDTH = 48; // "[", the longest IPv6 text, "]:65535", and a space that ends it
const ADDRESS_START = 1 + GENERATION_WIDTH;
const DIGEST_START = ADDRESS_START + ADDRESS_WIDTH;

export function isSessionId(text: string): boolean {
  return ID.test(text);
}

/**
 * The strict grammar of a backend's address: `a.b.c.d:port` or `[ipv6]:port`, never a host name.
 * nginx would take the name of one of its own `upstream` blocks where it expects an address.
 */
export function isAddress(text: string): boolean {
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3}):([1-9]\d{0,4})$/.exec(text);
  if (v4 !== null) {
    return [v4[1], v4[2], v4[3], v4[4]].every((part) => Number(part) <= 255) && Number(v4[5]) <= 65535;
  }
  const v6 = /^\[[0-9a-f:]{2,39}\]:([1-9]\d{0,4})$/.exec(text);
  return v6 !== null && Number(v6[1]) <= 65535;
}

export function isGeneration(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** A SHA-256 in base64url, as Node's `digest('base64url')` writes it. */
export function isTokenDigest(text: string): boolean {
  return DIGEST.test(text);
}

export function encodeRoute(route: Route): string {
  const generation = route.generation.toString(36).padStart(GENERATION_WIDTH, '0');
  return `${STATE_TO_MARK[route.state]}${generation}${route.address.padEnd(ADDRESS_WIDTH)}${route.tokenDigest}`;
}

/** Undefined for a text that `encodeRoute` never wrote. */
export function decodeRoute(text: string): Route | undefined {
  const state = MARK_TO_STATE[text.charAt(0)];
  const generation = parseInt(text.slice(1, ADDRESS_START), 36);
  if (state === undefined || !isGeneration(generation)) {
    return undefined;
  }
  const address = text.slice(ADDRESS_START, DIGEST_START).trim();
  return { state, generation, address, tokenDigest: text.slice(DIGEST_START) };
}

/** The address of a `ready` route, or empty: the hot path's short cut through `decodeRoute`. */
export function readyAddress(text: string): string {
  return text.charCodeAt(0) === 114 /* r */
    ? text.slice(ADDRESS_START, text.indexOf(' ', ADDRESS_START))
    : '';
}

/** Whether an encoded route asks visitors for a token: the hot path's question. */
export function asksForToken(text: string): boolean {
  return text.length > DIGEST_START;
}

/** The digest of an encoded route, or empty. */
export function tokenDigestOf(text: string): string {
  return text.slice(DIGEST_START);
}

/**
 * Where what stands in a route's text (njs/route.ts). Numbers only: the bundler puts them where they are used
 * (scripts/build.ts), while what a file with code declares is made anew for each request.
 */

/** Character codes of the three marks of a `ready` route: `r`, `p` and `u`. */
export const DIRECT = 114;
export const POOLED = 112;
export const UNTRIED = 117;

// A value never changes its length. In a full shared dict nginx can still overwrite an entry in place, but it
// can't grow one; so the step from `starting` to `ready` to `gone` always fits once the route was accepted.
// So a tombstone keeps its digest, and a route never gains or loses one: it may only change.
export const GENERATION_WIDTH = 11; // 2^53 in base 36
export const ADDRESS_WIDTH = 48; // "[", the longest IPv6 text, "]:65535", and a space that ends it
export const ADDRESS_START = 1 + GENERATION_WIDTH;
export const DIGEST_START = ADDRESS_START + ADDRESS_WIDTH;
export const DIGEST_WIDTH = 43;
/** A text that is as long as this asks visitors for a token. */
export const WITH_TOKEN = DIGEST_START + DIGEST_WIDTH;
/** Of a `ready` route's place in nginx' pool: last, and in the table of a router with a pool only. */
export const SID_WIDTH = 32;

import { isAddress } from './route.ts';

/**
 * Pure: which addresses a route may lead to. Only the daemon writes routes, but a runtime could mislead it; so each
 * router checks again, against ranges that only its operator can set.
 */
interface Range {
  /** The network in groups of 16 bits: two for IPv4, eight for IPv6. */
  groups: number[];
  bits: number;
  firstPort: number;
  lastPort: number;
}

export interface Ranges {
  allowed: Range[];
  forbidden: Range[];
}

const EXAMPLES = 'a range is like 10.0.0.0/8, 127.0.0.1:20000-20999 or [fd00::]/8:8080';

/**
 * What no setting can allow: it leads to the machine or the cloud below instead of a session, or is another way to
 * write an IPv4 address. From IANA's special-purpose address registries (RFC 6890) and the clouds' manuals.
 */
const FORBIDDEN = [
  '0.0.0.0/8',
  '169.254.0.0/16', // link-local, and most clouds' metadata
  '100.100.100.200', // metadata at Alibaba
  '168.63.129.16', // metadata at Azure
  '192.0.0.0/24', // metadata at Oracle, in a block for protocols
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
  '[::]',
  '[::ffff:0:0]/96', // IPv4 mapped
  '[::ffff:0:0:0]/96', // IPv4 translated: RFC 2765, RFC 6052, RFC 8215
  '[64:ff9b::]/96',
  '[64:ff9b:1::]/48',
  '[2001::]/32', // IPv4 in tunnels: Teredo, 6to4
  '[2002::]/16',
  '[fd00:ec2::]/32', // metadata at Amazon
  '[fd20:ce::254]', // metadata at Google
  '[fe80::]/10', // link-local
  '[ff00::]/8', // multicast
];

/**
 * Ranges, separated by spaces, those to leave out with `!` before them; or a text that says what is wrong. To allow
 * none at all is wrong, too.
 */
export function parseRanges(text: string): Ranges | string {
  const words = text.split(' ').filter((word) => word !== '');
  const isLeftOut = (word: string) => word.charAt(0) === '!';
  const bare = (word: string) => (isLeftOut(word) ? word.slice(1) : word);
  const wrong = words.filter((word) => parseRange(bare(word)) === undefined)[0];
  if (wrong !== undefined) {
    return `${JSON.stringify(wrong)}: ${EXAMPLES}`;
  }
  const allowed = words.filter((word) => !isLeftOut(word));
  if (allowed.length === 0) {
    return `none is given: ${EXAMPLES}`;
  }
  const leftOut = words.filter(isLeftOut).map((word) => parseRange(bare(word)) as Range);
  return {
    allowed: allowed.map((word) => parseRange(word) as Range),
    forbidden: forbiddenRanges().concat(leftOut),
  };
}

/** Whether a route may lead to `address` (`ip:port`). */
export function isAllowed(address: string, ranges: Ranges): boolean {
  const backend = parseBackend(address);
  return backend !== undefined && !isWithin(backend, ranges.forbidden) && isWithin(backend, ranges.allowed);
}

/** Whether no route may ever lead to `address` (`ip:port`); true also for what is no address. */
export function isForbiddenAddress(address: string): boolean {
  const backend = parseBackend(address);
  return backend === undefined || isWithin(backend, forbiddenRanges());
}

function forbiddenRanges(): Range[] {
  return FORBIDDEN.map((word) => parseRange(word) as Range);
}

function parseRange(word: string): Range | undefined {
  const parts = /^([\d.]+|\[[\da-f:]+\])(?:\/(\d{1,3}))?(?::(\d{1,5})(?:-(\d{1,5}))?)?$/.exec(
    word.toLowerCase(),
  );
  const groups = parts === null ? undefined : parseIp(parts[1] as string);
  if (parts === null || groups === undefined) {
    return undefined;
  }
  const bits = parts[2] === undefined ? 16 * groups.length : Number(parts[2]);
  const firstPort = parts[3] === undefined ? 1 : Number(parts[3]);
  const lastPort = parts[4] === undefined ? (parts[3] === undefined ? 65535 : firstPort) : Number(parts[4]);
  const isNetwork = groups.every((group, i) => (group & (0xffff >> keptBits(bits, i))) === 0);
  return bits <= 16 * groups.length &&
    isNetwork &&
    firstPort >= 1 &&
    firstPort <= lastPort &&
    lastPort <= 65535
    ? { groups, bits, firstPort, lastPort }
    : undefined;
}

function parseBackend(address: string): { groups: number[]; port: number } | undefined {
  const colon = address.lastIndexOf(':');
  const groups = isAddress(address) ? parseIp(address.slice(0, colon)) : undefined;
  return groups === undefined ? undefined : { groups, port: Number(address.slice(colon + 1)) };
}

function isWithin(backend: { groups: number[]; port: number }, ranges: Range[]): boolean {
  return ranges.some(
    (range) =>
      range.groups.length === backend.groups.length &&
      range.firstPort <= backend.port &&
      backend.port <= range.lastPort &&
      range.groups.every((group, i) => {
        return (group ^ (backend.groups[i] as number)) >> (16 - keptBits(range.bits, i)) === 0;
      }),
  );
}

/** How many bits of the group at `index` belong to a prefix of `bits`. */
function keptBits(bits: number, index: number): number {
  return Math.min(16, Math.max(0, bits - 16 * index));
}

/** `a.b.c.d` or `[ipv6]`, without IPv4 in it. */
function parseIp(text: string): number[] | undefined {
  if (text.charAt(0) !== '[') {
    const bytes = text.split('.').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
    return bytes.length === 4 && bytes.every((byte) => byte < 256)
      ? [(bytes[0] as number) * 256 + (bytes[1] as number), (bytes[2] as number) * 256 + (bytes[3] as number)]
      : undefined;
  }
  const halves = text.slice(1, -1).split('::');
  const head = parseGroups(halves[0] as string);
  const tail = parseGroups(halves[1] || '');
  const missing = 8 - head.length - tail.length;
  const fits = halves.length === 1 ? missing === 0 : halves.length === 2 && missing > 0;
  if (!fits) {
    return undefined;
  }
  const zeros: number[] = [];
  for (let i = 0; i < missing; i += 1) {
    zeros.push(0);
  }
  const groups = head.concat(zeros, tail);
  return groups.every((group) => group <= 0xffff) ? groups : undefined;
}

/** What is no group becomes one that is too large. */
function parseGroups(text: string): number[] {
  return text === ''
    ? []
    : text.split(':').map((group) => (/^[\da-f]{1,4}$/.test(group) ? parseInt(group, 16) : 0x10000));
}

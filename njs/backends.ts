/**
 * Pure: which addresses a route may lead to. Only the daemon writes routes, but a runtime could mislead it; so each
 * router checks again, against ranges that only its operator can set.
 */
interface Range {
  /** The lowest and the highest number for each 32 bits of an address: one for IPv4, four for IPv6. */
  low: number[];
  high: number[];
  firstPort: number;
  lastPort: number;
}

/** What an address means. */
export interface Backend {
  /** 32 bits each: one for IPv4, four for IPv6. */
  words: number[];
  port: number;
}

/** `leftOut` is never led to, though `allowed` may hold it. */
export interface Ranges {
  allowed: Range[];
  leftOut: Range[];
}

const BACKEND_V4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3}):([1-9]\d{0,4})$/;
const BACKEND_V6 = /^(\[[\da-f:]{2,39}\]):([1-9]\d{0,4})$/;
const EXAMPLES = 'a range is like 10.0.0.0/8, 127.0.0.1:20000-20999 or [fd00::]/8:8080';

/**
 * What no setting can allow: it leads to the machine or the cloud below instead of a session, or is another way to
 * write an IPv4 address. From IANA's special-purpose address registries (RFC 6890) and the clouds' manuals. Comparisons
 * of numbers, for each write of a route asks, and njs keeps nothing from one to the next.
 */
function isForbidden(backend: Backend): boolean {
  return backend.words.length === 1
    ? isForbiddenV4(backend.words[0] as number)
    : isWithin(backend, forbiddenV6());
}

function isForbiddenV4(word: number): boolean {
  return (
    word <= 0x00ffffff || // 0.0.0.0/8
    word >= 0xe0000000 || // 224.0.0.0/4: multicast, and 240.0.0.0/4: reserved, and broadcast
    (word >= 0xa9fe0000 && word <= 0xa9feffff) || // 169.254.0.0/16: link-local, and most clouds' metadata
    word === 0x646464c8 || // 100.100.100.200: metadata at Alibaba
    word === 0xa83f8110 || // 168.63.129.16: metadata at Azure
    (word >= 0xc0000000 && word <= 0xc00000ff) // 192.0.0.0/24: metadata at Oracle, in a block for protocols
  );
}

function forbiddenV6(): Range[] {
  return [
    network([0, 0, 0, 0], 128), // [::]
    network([0, 0, 0x0000ffff, 0], 96), // [::ffff:0:0]/96: IPv4 mapped
    network([0, 0, 0xffff0000, 0], 96), // [::ffff:0:0:0]/96: IPv4 translated: RFC 2765, RFC 6052, RFC 8215
    network([0x0064ff9b, 0, 0, 0], 96), // [64:ff9b::]/96
    network([0x0064ff9b, 0x00010000, 0, 0], 48), // [64:ff9b:1::]/48
    network([0x20010000, 0, 0, 0], 32), // [2001::]/32: IPv4 in tunnels: Teredo, 6to4
    network([0x20020000, 0, 0, 0], 16), // [2002::]/16
    network([0xfd000ec2, 0, 0, 0], 32), // [fd00:ec2::]/32: metadata at Amazon
    network([0xfd2000ce, 0, 0, 0x00000254], 128), // [fd20:ce::254]: metadata at Google
    network([0xfe800000, 0, 0, 0], 10), // [fe80::]/10: link-local
    network([0xff000000, 0, 0, 0], 8), // [ff00::]/8: multicast
  ];
}

/**
 * Ranges, separated by spaces, those to leave out with `!` before them; or a text that says what is wrong. To allow
 * none at all is wrong, too.
 */
export function parseRanges(text: string): Ranges | string {
  const ranges: Ranges = { allowed: [], leftOut: [] };
  const words = text.split(' ').filter((word) => word !== '');
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] as string;
    const isLeftOut = word.charAt(0) === '!';
    const range = parseRange(isLeftOut ? word.slice(1) : word);
    if (range === undefined) {
      return `${JSON.stringify(word)}: ${EXAMPLES}`;
    }
    (isLeftOut ? ranges.leftOut : ranges.allowed).push(range);
  }
  return ranges.allowed.length === 0 ? `none is given: ${EXAMPLES}` : ranges;
}

/** Whether a route may lead to the backend; never to what is undefined. */
export function isAllowed(backend: Backend | undefined, ranges: Ranges): boolean {
  return (
    backend !== undefined &&
    !isForbidden(backend) &&
    !isWithin(backend, ranges.leftOut) &&
    isWithin(backend, ranges.allowed)
  );
}

/** Whether no route may ever lead to `address` (`ip:port`); true also for what is no address. */
export function isForbiddenAddress(address: string): boolean {
  const backend = parseBackend(address);
  return backend === undefined || isForbidden(backend);
}

function parseRange(text: string): Range | undefined {
  const parts = /^([\d.]+|\[[\da-f:]+\])(?:\/(\d{1,3}))?(?::(\d{1,5})(?:-(\d{1,5}))?)?$/.exec(
    text.toLowerCase(),
  );
  const words = parts === null ? undefined : parseIp(parts[1] as string);
  if (parts === null || words === undefined) {
    return undefined;
  }
  const bits = parts[2] === undefined ? 32 * words.length : Number(parts[2]);
  const range = network(words, bits);
  if (parts[3] !== undefined) {
    range.firstPort = Number(parts[3]);
    range.lastPort = parts[4] === undefined ? range.firstPort : Number(parts[4]);
  }
  return bits <= 32 * words.length &&
    range.low.every((word, i) => word === words[i]) &&
    range.firstPort >= 1 &&
    range.firstPort <= range.lastPort &&
    range.lastPort <= 65535
    ? range
    : undefined;
}

/** All addresses that share the first `bits` of this one, at any port. */
function network(words: number[], bits: number): Range {
  const low: number[] = [];
  const high: number[] = [];
  for (let i = 0; i < words.length; i += 1) {
    const size = 2 ** (32 - Math.min(32, Math.max(0, bits - 32 * i)));
    const word = words[i] as number;
    low.push(word - (word % size));
    high.push(word - (word % size) + size - 1);
  }
  return { low, high, firstPort: 1, lastPort: 65535 };
}

/**
 * The strict grammar of a backend's address: `a.b.c.d:port` or `[ipv6]:port`, never a host name: nginx would take the
 * name of one of its own `upstream` blocks where it expects an address. Of IPv4 it reads everything in one go: most
 * addresses are, and each write of a route asks.
 */
export function parseBackend(address: string): Backend | undefined {
  const v4 = BACKEND_V4.exec(address);
  if (v4 !== null) {
    const word = wordOf(v4);
    return word === undefined ? undefined : backendAt([word], v4[5] as string);
  }
  const v6 = BACKEND_V6.exec(address);
  const words = v6 === null ? undefined : parseIp(v6[1] as string);
  return v6 === null || words === undefined ? undefined : backendAt(words, v6[2] as string);
}

function backendAt(words: number[], digits: string): Backend | undefined {
  const port = +digits;
  return port > 65535 ? undefined : { words, port };
}

/** The 32 bits of an IPv4 address, of a match whose first four groups are its bytes. `+`, for njs takes longer to call. */
function wordOf(bytes: RegExpExecArray): number | undefined {
  const a = +(bytes[1] as string);
  const b = +(bytes[2] as string);
  const c = +(bytes[3] as string);
  const d = +(bytes[4] as string);
  return a > 255 || b > 255 || c > 255 || d > 255 ? undefined : ((a * 256 + b) * 256 + c) * 256 + d;
}

function isWithin(backend: Backend, ranges: Range[]): boolean {
  const words = backend.words;
  for (let i = 0; i < ranges.length; i += 1) {
    const range = ranges[i] as Range;
    if (
      backend.port >= range.firstPort &&
      backend.port <= range.lastPort &&
      isBetween(words, range.low, range.high)
    ) {
      return true;
    }
  }
  return false;
}

function isBetween(words: number[], low: number[], high: number[]): boolean {
  if (words.length !== low.length) {
    return false;
  }
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] as number;
    if (word < (low[i] as number) || word > (high[i] as number)) {
      return false;
    }
  }
  return true;
}

/** `a.b.c.d` or `[ipv6]`, without IPv4 in it. */
function parseIp(text: string): number[] | undefined {
  if (text.charAt(0) !== '[') {
    const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
    const word = bytes === null ? undefined : wordOf(bytes);
    return word === undefined ? undefined : [word];
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
  const pairs = [0, 2, 4, 6].map((i) => (groups[i] as number) * 0x10000 + (groups[i + 1] as number));
  return groups.every((group) => group <= 0xffff) ? pairs : undefined;
}

/** What is no group becomes one that is too large. */
function parseGroups(text: string): number[] {
  return text === ''
    ? []
    : text.split(':').map((group) => (/^[\da-f]{1,4}$/.test(group) ? parseInt(group, 16) : 0x10000));
}

import type { Sockets } from './sidecar-table.ts';

/** One look at the tables. Times are seconds since the machine's boot. */
export interface Sample {
  /** The clock before and after the tables were read: whoever is stopped in between must not age a connection. */
  before: number;
  after: number;
  /** How many sockets the namespace has, as the kernel says it; '' if it doesn't. */
  inUse: string;
  sockets: Sockets;
}

/** What is kept from sample to sample. */
export interface Use {
  /** When the last sample was taken, and when the tables were last read for one. */
  at: number;
  lookedAt: number;
  /** See Sample. */
  inUse: string;
  /** When a counted connection was last seen; at first, when watching began. */
  lastActive: number;
  active: number;
  /** Whether there are connections that are not old enough to count. */
  young: boolean;
  listening: boolean;
  /** When each connection was first seen. */
  since: { [connection: string]: number };
}

export interface Status {
  active_connections: number;
  seconds_inactive: number;
  listening: boolean;
}

/** Samples are taken each second: after a longer gap nobody knows what was. */
const GAP_SECONDS = 10;
/** How long tables that look unchanged are not read. */
const TRUST_SECONDS = 5;
/** The timers of those who probe come a little late. */
const LATE_SECONDS = 0.5;
/** Probes alone are never so many: connections beyond count at once, so that memory stays bounded. */
const MOST_REMEMBERED = 1000;

/**
 * A connection counts once it has been there for longer than any probe's may last, whoever opened it: neither the
 * address nor the bytes tell a probe of the kubelet from a visitor that comes by way of the node.
 * Where nobody watched, nothing was idle: after a gap all begins anew.
 * @param probeSeconds how long a probe's connection may last
 */
export function nextUse(known: Use | undefined, sample: Sample, probeSeconds: number): Use {
  const last = known !== undefined && sample.before - known.at <= GAP_SECONDS ? known : undefined;
  const connections = sample.sockets.connections;
  const remembered = connections.slice(0, MOST_REMEMBERED);
  const since: Use['since'] = {};
  let active = connections.length - remembered.length;
  remembered.forEach((connection) => {
    const seen = last === undefined ? undefined : last.since[connection];
    const first = seen === undefined ? sample.after : seen;
    since[connection] = first;
    if (sample.before - first > probeSeconds + LATE_SECONDS) {
      active += 1;
    }
  });
  return {
    at: sample.after,
    lookedAt: sample.after,
    inUse: sample.inUse,
    lastActive: last === undefined || active > 0 ? sample.after : last.lastActive,
    active,
    young: active < connections.length,
    listening: sample.sockets.listening,
    since,
  };
}

/**
 * The next use without a look at the tables, or undefined if that needs one. To read them takes the kernel
 * milliseconds on a large node, since it walks the connections of all Pods (tcp_ehash_entries); to say how many
 * sockets this Pod has, microseconds. The same number may hide that one went while another came: for 5 s at most.
 */
export function unchangedUse(known: Use, inUse: string, now: number): Use | undefined {
  const same = inUse !== '' && inUse === known.inUse && !known.young && now - known.lookedAt < TRUST_SECONDS;
  return same ? { ...known, at: now, lastActive: known.active > 0 ? now : known.lastActive } : undefined;
}

/** Undefined if the last sample is too old to tell. */
export function statusOf(use: Use, now: number): Status | undefined {
  if (now - use.at > GAP_SECONDS) {
    return undefined;
  }
  const inactive = use.active > 0 ? 0 : Math.max(0, now - use.lastActive);
  return {
    active_connections: use.active,
    seconds_inactive: Math.round(inactive * 100) / 100,
    listening: use.listening,
  };
}

import { newSessionId } from '../../../daemon/session.ts';
import { shardOfPort } from '../../../njs/shard.ts';

/** Where visits go: to a session, whose backend listens on a port of 127.0.0.1. */
export interface Session {
  id: string;
  port: number;
}

/** A session as the daemon would place it: the pool has its port in the block of its id. */
export function sessionAt(port: number): Session {
  return { id: `${shardOfPort(port)}${newSessionId().slice(1)}`, port };
}

/** `count` sessions, in turn at each of `ports`. */
export function sessionsAt(ports: number[], count: number): Session[] {
  return Array.from({ length: count }, (_, index) => sessionAt(ports[index % ports.length] as number));
}

/** `count` ports from `first` on. */
export function portsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

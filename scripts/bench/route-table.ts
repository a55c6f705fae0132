/** A real router, and the daemon's own code that keeps its route table. */
import pino from 'pino';
import { createRouterClient } from '../../daemon/routers/router-client.ts';
import { createRouters, type Routers } from '../../daemon/routers/routers.ts';
import { reservePorts } from '../../test/support/ports.ts';
import { type Router, startRouter } from '../../test/support/router.ts';
import type { OnEnd } from './closing.ts';
import { addressOf, SHARD_PORTS, sessionId } from './sessions.ts';

export interface Routed {
  router: Router;
  /** Where backends of sessions may listen, on 127.0.0.1. */
  ports: number[];
  /** Where the session's backend listens. */
  addressOf(id: string): string;
}

/** A router with room for so many routes. @param listen its public address; else a unix socket */
export async function startRouted(onEnd: OnEnd, routes: number, listen?: string): Promise<Routed> {
  const reserved = await reservePorts();
  onEnd(reserved.release);
  const { first } = reserved;
  const router = await startRouter({
    line: 'current',
    ...(listen !== undefined && { nginx: { listen } }),
    router: {
      // A size in docs/capacity.md, and as much again for tombstones.
      routesZoneSize: `${Math.ceil(routes / 1_500) + 1}m`,
      backends: [`127.0.0.1:${first}-${first + SHARD_PORTS - 1}`],
    },
  });
  onEnd(router.stop);
  return {
    router,
    ports: Array.from({ length: SHARD_PORTS }, (_, index) => first + index),
    addressOf: (id) => addressOf(id, first),
  };
}

export interface Daemon {
  routers: Routers;
  /** Lets it follow the router. Resolves with the seconds that the fill took. */
  follow(): Promise<number>;
  /** Resolves with the seconds that the router's next fill took. */
  nextFill(): Promise<number>;
}

/** A daemon that wishes for routes of `count` sessions. */
export function makeDaemon(onEnd: OnEnd, routed: Routed, count: number): Daemon {
  let filled = Promise.withResolvers<number>();
  const routers = createRouters({
    connect: (address) => createRouterClient(address, undefined),
    log: pino({ level: 'silent' }),
    now: () => performance.now(),
    mode: 'path',
    refused(ids) {
      throw new Error(`the router refused ${ids.length} routes`);
    },
    filled: (seconds) => filled.resolve(seconds),
  });
  onEnd(routers.stop);
  for (let index = 0; index < count; index++) {
    const id = sessionId(index);
    void routers.set(id, { state: 'ready', address: routed.addressOf(id), tokenDigest: '' });
  }
  const nextFill = () => {
    filled = Promise.withResolvers<number>();
    return filled.promise;
  };
  return {
    routers,
    nextFill,
    follow() {
      const fill = nextFill();
      routers.follow([{ address: `unix:${routed.router.adminAddress}`, discovered: false }]);
      return fill;
    },
  };
}

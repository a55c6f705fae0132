import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mode } from '../../daemon/public-url.ts';
import { copyBundle } from '../support/built.ts';
import type { Stack } from '../support/router.ts';
import { type Flavour, type Router, startRouter } from './router.ts';

const FIRST_PORT = 8000;

/** All routers of one mode on one nginx line and engine. */
export interface World {
  mode: Mode;
  stack: Stack;
  /** Started when first asked for. */
  router(flavour?: Flavour): Promise<Router>;
  stop(): Promise<void>;
}

export async function startWorld(mode: Mode, stack: Stack): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'spawner-table-'));
  const bundle = join(directory, 'spawner.js');
  await copyBundle(bundle);
  const host = ownAddress();
  const routers = new Map<Flavour, Promise<Router>>();
  return {
    mode,
    stack,
    router(flavour = 'plain') {
      const place = { host, port: FIRST_PORT + routers.size };
      const router = routers.get(flavour) ?? startRouter(flavour, { mode, stack, place, bundle });
      routers.set(flavour, router);
      return router;
    },
    async stop() {
      await Promise.allSettled([...routers.values()].map(async (router) => (await router).stop()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** An address of loopback that nobody else is likely to have, so that all ports of it are free. */
function ownAddress(): string {
  return `127.${[1, 2, 3].map(() => randomInt(1, 255)).join('.')}`;
}

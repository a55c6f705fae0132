/** Writes new routes and removes them again, of sessions that nobody visits, as a daemon does. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRouterClient } from '../../../../daemon/routers/router-client.ts';
import { sessionAt } from '../visited.ts';
import { argumentOf, serveTask } from './serve-task.ts';

export interface Churn {
  /** `unix:/path` of a router's admin API. */
  admin: string;
  /** Of a backend. */
  port: number;
  /** Changes a second. */
  perSecond: number;
  milliseconds: number;
}

const BATCHES_PER_SECOND = 20;

const { admin, port, perSecond, milliseconds } = argumentOf<Churn>();
const router = createRouterClient(admin, undefined);
let { generation } = await router.health();
const newRoutes = perSecond / BATCHES_PER_SECOND / 2;

/** How many changes were acknowledged. */
serveTask(async () => {
  let written = await write([], []);
  let removed: string[] = [];
  const batches = (milliseconds / 1000) * BATCHES_PER_SECOND;
  const start = performance.now();
  let changes = 0;
  for (let batch = 0; batch < batches; batch++) {
    await sleep(Math.max(0, start + (batch * 1000) / BATCHES_PER_SECOND - performance.now()));
    const ids = await write(written, removed);
    changes += ids.length + written.length;
    [written, removed] = [ids, written];
  }
  return changes;
});

/** Writes new routes, in the same batch as what is to be removed and forgotten. */
async function write(toRemove: string[], toForget: string[]): Promise<string[]> {
  const ids = Array.from({ length: newRoutes }, () => sessionAt(port).id);
  const route = { state: 'ready' as const, address: `127.0.0.1:${port}` };
  const put = Object.fromEntries(ids.map((id) => [id, route]));
  await router.write({ generation: ++generation, put, delete: toRemove, forget: toForget });
  return ids;
}

import { createServer, type Server } from 'node:http';
import test from 'ava';
import { SHARDS, shardOfSession } from '../../../njs/shard.ts';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { until } from '../../support/poll.ts';
import { type ApiWorld, startApiWorld } from '../support/api-world.ts';
import { startDns } from '../support/dns-server.ts';

/** Of so many, about half have a shard that another has, too. */
const SESSIONS = 36;
const VISITORS = 4;
const VISITS = 20;
const UNKNOWN = 'x'.repeat(26);
const SERVICE = 'spawner-shard-{shard}.sessions.svc.test';
// All Pods of the test get this one after the other.
const ADDRESS = '127.0.9.1';

let kube: KubeApi;
test.before(async () => {
  kube = await startKubeApi({ controllers: true });
});
test.after.always(() => kube.stop());

test('an address that goes from Pod to Pod leads nobody to what is not theirs', async (t) => {
  const dns = await startDns(t);
  // As late as DNS can ever be: it names what was there, and what will be.
  await dns.know([...SHARDS].map((shard) => ({ name: SERVICE.replace('{shard}', shard), ip: ADDRESS })));
  const world = await startApiWorld(t, kube, {
    dns: { address: dns.address, service: SERVICE },
    flags: ['--start-timeout', '5m', '--unschedulable-timeout', '5m'],
  });
  const ids = await Promise.all(Array.from({ length: SESSIONS }, async () => (await world.init()).id));
  const heirs = [...Map.groupBy(ids, shardOfSession).values()].filter(({ length }) => length > 1).flat();
  t.true(heirs.length > 1, 'some are neighbours in a block of nginx');

  const connections = new Set<number>();
  const visited: string[] = [];
  let served = 0;
  let isOver = false;
  async function visit(id: string): Promise<number> {
    const { status, body } = await world.visit(id);
    if (status === 200) {
      t.is(body, id);
      served += 1;
    }
    return status;
  }
  async function visitAll(): Promise<void> {
    while (!isOver) for (const id of [...visited, UNKNOWN]) await visit(id);
  }
  const visitors = Promise.all(Array.from({ length: VISITORS }, visitAll));

  for (const id of heirs) {
    const app = await startApp(world, id, connections);
    t.teardown(() => end(app));
    await world.kubelet.assign(`session-${id}`);
    await world.kubelet.running(`session-${id}`, ADDRESS);
    await world.until(id, 'ready');
    visited.push(id);
    for (let time = 0; time < VISITS; time++) t.is(await visit(id), 200);
    const deleted = world.daemon.api('DELETE', `/sessions/${id}`);
    await until('the Pod to be deleted', async () => (await world.pod(id))?.metadata?.deletionTimestamp);
    await end(app);
    await world.kubelet.gone(`session-${id}`);
    t.is((await deleted).status, 204);
  }
  isOver = true;
  await visitors;
  t.true(served > 2 * connections.size, `${served} requests came by ${connections.size} connections`);
});

async function startApp(world: ApiWorld, id: string, connections: Set<number>): Promise<Server> {
  const server = createServer((_, response) => void response.end(id));
  server.on('connection', ({ remotePort }) => connections.add(remotePort as number));
  await new Promise<void>((resolve) => server.listen(world.port, ADDRESS, resolve));
  return server;
}

/** As a process does, with all connections. */
async function end(server: Server): Promise<void> {
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}

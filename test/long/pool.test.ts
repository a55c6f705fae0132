import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import test from 'ava';
import { Pool } from 'undici';
import { SHARDS, shardOfPort } from '../../njs/shard.ts';
import { until } from '../support/poll.ts';
import { reservePorts } from '../support/ports.ts';
import { startRouter } from '../support/router.ts';

const REQUESTS = 100_000;
const BACKENDS = 500;
const AT_A_TIME = 10;

test('100,000 requests to 500 backends that come and go leave no file open, and reach no other session', async (t) => {
  const { first, last, release } = await reservePorts();
  t.teardown(release);
  const router = await startRouter({
    line: 'current',
    nginx: { workers: 1 },
    router: { backends: [`127.0.0.1:${first}-${last}`] },
  });
  const visitors = new Pool('http://router', { socketPath: router.publicSocket, connections: 16 });
  t.teardown(async () => {
    if (!t.passed) t.log(await router.errorLog());
    await visitors.destroy();
    await router.stop();
  });
  const openFiles = async () => {
    const [worker] = await router.workerPids();
    return (await readdir(`/proc/${worker}/fd`)).length;
  };
  const ask = async (id: string) => {
    const answer = await visitors.request({ path: `/p/${id}/`, method: 'GET' });
    return { status: answer.statusCode, body: await answer.body.text() };
  };
  t.is((await ask('x'.repeat(26))).status, 503, 'a router that is not filled says so');
  const before = await openFiles();

  let port = first;
  let served = 0;
  let connections = 0;
  for (let generation = 0; generation < BACKENDS / AT_A_TIME; generation++) {
    const apps: { id: string; server: Server; address: string }[] = [];
    while (apps.length < AT_A_TIME) {
      port = port === last ? first : port + 1;
      const rest = Array.from({ length: 25 }, (_, i) =>
        SHARDS.charAt((generation * 7 + apps.length + i) % 36),
      );
      const id = shardOfPort(port) + rest.join('');
      const server = createServer((_, response) => response.end(id));
      server.on('connection', () => {
        connections += 1;
      });
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      apps.push({ id, server, address: `127.0.0.1:${port}` });
    }
    for (const { id, address } of apps) await router.admin.put(id, 'ready', address);
    for (let round = 0; round < REQUESTS / BACKENDS; round += 4) {
      const visits = apps.flatMap(({ id }) => [id, id, id, id]);
      const answers = await Promise.all(visits.map(ask));
      for (const [index, { status, body }] of answers.entries()) {
        if (status !== 200 || body !== visits[index])
          t.fail(`${visits[index]} was answered ${status} ${body}`);
        served += 1;
      }
    }
    for (const { id } of apps) await router.admin.remove(id);
    for (const { server } of apps) {
      server.closeAllConnections();
      server.close();
    }
  }
  t.is(served, REQUESTS);
  t.true(
    connections < REQUESTS / 10,
    `${connections} connections for ${REQUESTS} requests: they are not kept`,
  );
  // Those of the visitors stay: 16 at most.
  await until('connections to backends to be closed', async () => (await openFiles()) <= before + 16);
  t.regex(await router.errorLog(), /^(?!.*\[(alert|crit|emerg)\])/s);
});

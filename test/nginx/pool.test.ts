import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { WebSocket, WebSocketServer } from 'ws';
import { SHARDS, shardOfPort } from '../../njs/shard.ts';
import { ask, open } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { reservePorts } from '../support/ports.ts';
import { type Router, type RouterOptions, startRouter } from '../support/router.ts';

interface App {
  port: number;
  address: string;
  /** How many connections it ever had. */
  connections: number;
  /** What it was asked. */
  asked: string[];
  server: Server;
  stop(): Promise<void>;
}

interface World {
  router: Router;
  first: number;
  last: number;
  start(name: string, port: number, answer?: (q: IncomingMessage, s: ServerResponse) => void): Promise<App>;
}

/** A router whose pool is a range of ports, all of it this test's. */
async function world(t: ExecutionContext, options: RouterOptions = {}): Promise<World> {
  const { first, last, release } = await reservePorts();
  t.teardown(release);
  const router = await startRouter({
    ...{ line: 'current', nginx: { workers: 1 } },
    ...options,
    router: { backends: [`127.0.0.1:${first}-${last}`], ...options.router },
  });
  t.teardown(async () => {
    if (!t.passed) t.log(await router.errorLog());
    await router.stop();
  });
  return {
    ...{ router, first, last },
    async start(name, port, answer = (_, response) => response.end(name)) {
      const app = await startApp(name, port, answer);
      t.teardown(() => app.stop());
      return app;
    },
  };
}

async function startApp(
  name: string,
  port: number,
  answer: (q: IncomingMessage, s: ServerResponse) => void,
): Promise<App> {
  const server = createServer((request, response) => {
    app.asked.push(request.url ?? '');
    answer(request, response);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (message) => socket.send(`${name}:${message}`));
  });
  server.on('connection', () => {
    app.connections += 1;
  });
  const app: App = {
    ...{ port, address: `127.0.0.1:${port}`, connections: 0, asked: [], server },
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return app;
}

/** A session id of the shard that the port belongs to. */
function idFor(port: number, rest = 'x'): string {
  return shardOfPort(port) + rest.repeat(25);
}

async function get(router: Router, id: string, path = ''): Promise<string> {
  const { status, body } = await ask(router.publicSocket, `/p/${id}/${path}`);
  return status === 200 ? body : String(status);
}

test('a connection to a backend serves one request after another, and is closed when it is idle', async (t) => {
  const { router, first, start } = await world(t);
  const app = await start('A', first);
  const id = idFor(first);
  await router.admin.put(id, 'ready', app.address);
  for (let i = 0; i < 20; i++) t.is(await get(router, id), 'A');
  t.is(app.connections, 1);
  const sockets = () => new Promise((resolve) => app.server.getConnections((_, count) => resolve(count)));
  await until('the idle connection to be closed', async () => (await sockets()) === 0);
});

test('a backend of another shard is reached directly, as is one that is no port of the pool', async (t) => {
  const { router, first, start } = await world(t, { router: { backends: ['127.0.0.0/8'] } });
  const app = await start('A', first);
  for (const id of [idFor(first), idFor(first + 1)]) {
    await router.admin.put(id, 'ready', app.address);
    t.is(await get(router, id), 'A');
    t.is(await get(router, id), 'A');
  }
  t.is(app.connections, 4);
  const pooled = await world(t);
  const near = await pooled.start('B', pooled.first);
  await pooled.router.admin.put(idFor(pooled.first + 1), 'ready', near.address);
  t.is(await get(pooled.router, idFor(pooled.first + 1)), 'B');
  t.is(await get(pooled.router, idFor(pooled.first + 1)), 'B');
  t.is(near.connections, 2);
});

test('on older lines of nginx every request has a connection of its own', async (t) => {
  const { router, first, start } = await world(t, { line: 'stable' });
  const app = await start('A', first);
  await router.admin.put(idFor(first), 'ready', app.address);
  t.is(await get(router, idFor(first)), 'A');
  t.is(await get(router, idFor(first)), 'A');
  t.is(app.connections, 2);
});

test('whatever comes and goes at an address, a request reaches the session that it names or none', async (t) => {
  const { router, first, start } = await world(t);
  const ports = [first, first + SHARDS.length, first + 2 * SHARDS.length];
  const stopped = { now: false };
  let wrong = 0;
  let served = 0;
  const visit = async (id: string) => {
    const { status, body } = await ask(router.publicSocket, `/p/${id}/${id}`);
    if (status === 200) served += 1;
    if (status === 200 && body !== id) wrong += 1;
  };
  const known: string[] = [];
  const visitors = Array.from({ length: 8 }, async () => {
    while (!stopped.now) {
      await Promise.all(known.slice(-6).map(visit));
      await new Promise(setImmediate);
    }
  });
  for (let round = 0; round < 40; round++) {
    const port = ports[round % ports.length] as number;
    const id = idFor(port, SHARDS.charAt(round % 36));
    // As the daemon does it: the route goes before the process, and comes after it.
    const app = await start(id, port, (request, response) => {
      if (!request.url?.endsWith(id)) wrong += 1;
      response.end(id);
    });
    await router.admin.put(id, 'ready', app.address);
    known.push(id);
    const before = served;
    await until('the session to be visited', () => served > before + 5);
    await router.admin.put(id, 'draining', app.address);
    await router.admin.remove(id);
    await app.stop();
  }
  stopped.now = true;
  await Promise.all(visitors);
  t.is(wrong, 0);
});

test('a peer that the pool does not know is nobody', async (t) => {
  const { router, first, last, start } = await world(t);
  const apps = [await start('A', first), await start('B', first + SHARDS.length)];
  const id = idFor(first);
  await router.admin.put(id, 'ready', `127.0.0.1:${first}`);
  t.is(await get(router, id), 'A');
  // The table says so, the pool does not: as after a reload with fewer ports, until the daemon has written it anew.
  await router.reload({ backends: [`127.0.0.1:${first + 1}-${last}`] });
  t.is(await get(router, id), '502');
  t.deepEqual(
    apps.map(({ asked }) => asked.length),
    [1, 0],
  );
});

test('a reload that changes the pool has the table written anew', async (t) => {
  const { router, first, last } = await world(t);
  const health = async () => (await router.admin.call('GET', '/v1/health')).body;
  const before = await health();
  await router.admin.fill();
  t.true((await health()).filled);
  await router.reload();
  t.is((await health()).bootId, before.bootId);
  await router.reload({ backends: [`127.0.0.1:${first + 1}-${last}`] });
  const after = await health();
  t.not(after.bootId, before.bootId);
  t.false(after.filled);
});

test('a backend that was not there a moment ago is asked again', async (t) => {
  const { router, first, start } = await world(t);
  const id = idFor(first);
  await router.admin.put(id, 'ready', `127.0.0.1:${first}`);
  t.is(await get(router, id), '502');
  await start('A', first);
  t.is(await get(router, id), 'A');
});

test('what a backend may have seen is not sent again', async (t) => {
  const { router, first, start } = await world(t);
  const id = idFor(first);
  let drop = false;
  const app = await start('A', first, (request, response) => {
    if (drop) request.socket.destroy();
    else response.end('A');
  });
  await router.admin.put(id, 'ready', app.address);
  t.is(await get(router, id), 'A');
  drop = true;
  for (const method of ['GET', 'PUT', 'POST']) {
    t.is((await ask(router.publicSocket, `/p/${id}/${method}`, { method })).status, 502);
  }
  t.deepEqual(app.asked.slice(1), ['/GET', '/PUT', '/POST']);
});

test('uploads stream and WebSockets open through the pool', async (t) => {
  const { router, first, start } = await world(t);
  const id = idFor(first);
  let seen = 0;
  const app = await start('A', first, (request, response) => {
    request.on('data', (chunk) => {
      seen += chunk.length;
    });
    request.on('end', () => response.end('A'));
  });
  await router.admin.put(id, 'ready', app.address);
  t.is(await get(router, id), 'A');
  const body = new Readable({ read() {} });
  const answer = open(router.publicSocket, `/p/${id}/`, { method: 'POST', body });
  body.push('first');
  await until('the first bytes', () => seen === 5);
  body.push('last');
  body.push(null);
  t.is((await answer).statusCode, 200);
  t.is(seen, 9);
  const socket = new WebSocket(`ws+unix:${router.publicSocket}:/p/${id}/`);
  await once(socket, 'open');
  socket.send('x');
  t.is(String((await once(socket, 'message'))[0]), 'A:x');
  socket.close();
  await once(socket, 'close');
});

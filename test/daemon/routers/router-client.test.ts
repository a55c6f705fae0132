import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { createRouterClient } from '../../../daemon/routers/router-client.ts';
import { until } from '../../support/poll.ts';

/** A client of a played router, which is asked by `serve`. */
async function clientOf(t: ExecutionContext, serve: RequestListener) {
  const server = createServer(serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createRouterClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, undefined);
  t.teardown(async () => {
    await client.close();
    server.close();
  });
  return client;
}

/** A client of something that answers every call with this. */
function clientOfAnswer(t: ExecutionContext, answer: unknown) {
  return clientOf(t, (_, response) => response.end(JSON.stringify(answer)));
}

const room = { bytes: 1, freeBytes: 1 };
const HEALTH = { bootId: 'b', filled: true, generation: 1, zones: { routes: room, activity: room } };

test('a router from before there were modes serves paths, and refuses nothing', async (t) => {
  t.is((await (await clientOfAnswer(t, HEALTH)).health()).mode, 'path');
  const client = await clientOfAnswer(t, { bootId: 'b', stale: [], full: [] });
  t.deepEqual((await client.write({ generation: 1, put: {}, delete: [], forget: [] })).refused, []);
});

test('an answer that is none is told in one line', async (t) => {
  const client = await clientOfAnswer(t, { ...HEALTH, mode: 'other' });
  await t.throwsAsync(() => client.health(), { message: /^GET \/v1\/health answered wrongly: mode: .*$/ });
});

/** A client of something that cuts off each connection for which `cuts` holds, when it is asked on it. */
async function clientOfCutter(t: ExecutionContext, cuts: (asked: number) => boolean) {
  const bodies: string[] = [];
  const client = await clientOf(t, async (request, response) => {
    bodies.push(await text(request));
    if (cuts(bodies.length)) request.socket.destroy();
    else response.end(JSON.stringify({ bootId: 'b', stale: [], full: [] }));
  });
  return { client, bodies };
}

const write = (generation: number) => ({ generation, put: {}, delete: [], forget: [] });

test('a write whose kept connection is cut off is sent again, as it was', async (t) => {
  const { client, bodies } = await clientOfCutter(t, (asked) => asked === 2);
  await client.write(write(1));
  t.is((await client.write(write(2))).bootId, 'b');
  t.deepEqual(
    bodies.map((body) => JSON.parse(body).generation),
    [1, 2, 2],
  );
});

test('who cuts off every call is told of, and not asked for ever', async (t) => {
  const { client, bodies } = await clientOfCutter(t, () => true);
  await t.throwsAsync(() => client.write(write(1)), { message: /^POST \/v1\/routes: / });
  t.is(bodies.length, 2);
});

test('a write that is sent again takes a new connection: a reload closes all that are kept', async (t) => {
  const held: ServerResponse[] = [];
  let reloaded = false;
  const kept = new Set<Socket>();
  const client = await clientOf(t, async (request, response) => {
    await text(request);
    if (reloaded && kept.has(request.socket)) request.socket.destroy();
    else held.push(response);
    kept.add(request.socket);
  });
  const isHeld = (count: number) => until('the calls to arrive', () => held.length === count);
  const answer = () => held.shift()?.end(JSON.stringify({ bootId: 'b', stale: [], full: [] }));
  const first = client.write(write(1));
  await isHeld(1);
  const second = client.write(write(2));
  await isHeld(2);
  answer();
  await first; // From now on its connection is free.
  reloaded = true;
  held.shift()?.destroy();
  await isHeld(1);
  answer();
  t.is((await second).bootId, 'b');
  t.is(kept.size, 3);
});

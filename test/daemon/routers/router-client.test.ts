import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createRouterClient } from '../../../daemon/routers/router-client.ts';

/** A client of something that answers every call with this. */
async function clientOf(t: ExecutionContext, answer: unknown) {
  const server = createServer((_, response) => response.end(JSON.stringify(answer))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createRouterClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, undefined);
  t.teardown(async () => {
    await client.close();
    server.close();
  });
  return client;
}

const room = { bytes: 1, freeBytes: 1 };
const HEALTH = { bootId: 'b', filled: true, generation: 1, zones: { routes: room, activity: room } };

test('a router from before there were modes serves paths, and refuses nothing', async (t) => {
  t.is((await (await clientOf(t, HEALTH)).health()).mode, 'path');
  const client = await clientOf(t, { bootId: 'b', stale: [], full: [] });
  t.deepEqual((await client.write({ generation: 1, put: {}, delete: [], forget: [] })).refused, []);
});

test('an answer that is none is told in one line', async (t) => {
  const client = await clientOf(t, { ...HEALTH, mode: 'other' });
  await t.throwsAsync(() => client.health(), { message: /^GET \/v1\/health answered wrongly: mode: .*$/ });
});

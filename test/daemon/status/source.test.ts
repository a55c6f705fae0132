import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { createSignalReader } from '../../../daemon/status/source.ts';
import type { Signal } from '../../../daemon/status/verdict.ts';

const use = (activeConnections: number, secondsInactive: number): Signal => {
  return { kind: 'use', activeConnections, secondsInactive };
};
const unknown = (message: string): Signal => ({ kind: 'unknown', message });
const routers = (signal: Signal, requests = signal) => ({ signal: () => signal, requests: () => requests });

/** `ip:port` of what answers every request with `body`. */
async function serve(t: ExecutionContext, body: string): Promise<string> {
  const server = createServer((_, response) => void response.end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const say = (t: ExecutionContext, active: number, inactive: number) =>
  serve(t, `{"active_connections":${active},"seconds_inactive":${inactive},"listening":true}`);
const NOBODY = '127.0.0.1:1';
const withSidecar = (statusAddress: string | undefined) => ({ id: 's', backend: NOBODY, statusAddress });

test('router: what routers count is all there is, and what they do not know is no miss', async (t) => {
  const session = withSidecar(undefined);
  const read = (signal: Signal) => createSignalReader('router', routers(signal))(session);
  t.deepEqual(await read(use(0, 7)), { source: 'router', signal: use(0, 7), missed: false });
  t.deepEqual(await read(unknown('x')), { source: 'router', signal: unknown('x'), missed: false });
});

test('app: its word counts alone', async (t) => {
  const read = createSignalReader('app', routers(use(5, 0)));
  const backend = await say(t, 0, 40);
  t.deepEqual(await read({ id: 's', backend, statusAddress: undefined }), {
    source: 'app',
    signal: use(0, 40),
    missed: false,
  });
  t.like(await read(withSidecar(undefined)), { source: 'app', signal: { kind: 'unknown' }, missed: true });
});

for (const [name, requests, expected] of [
  ['and routers saw a request since', use(0, 3), use(0, 3)],
  ['and routers saw none for longer', use(0, 90), use(0, 40)],
  ['and a router carries a request now', use(1, 0), use(1, 0)],
  [
    'but a router has no room to count in',
    unknown('no room'),
    unknown('its sidecar sees nobody, but no room'),
  ],
] as const) {
  test(`sidecar: it sees nobody, ${name}`, async (t) => {
    // What a router that shuts down still carries, the sidecar sees.
    const read = createSignalReader('sidecar', routers(unknown('one is shutting down'), requests));
    const session = withSidecar(await say(t, 0, 40));
    t.deepEqual(await read(session), { source: 'sidecar', signal: expected, missed: false });
  });
}

test('sidecar: whoever it sees is there, whatever routers know', async (t) => {
  const session = withSidecar(await say(t, 2, 0));
  for (const requests of [unknown('x'), use(0, 99)]) {
    const { signal } = await createSignalReader('sidecar', routers(requests))(session);
    t.deepEqual(signal, use(2, 0));
  }
});

test('sidecar: without its word nothing is known, however quiet the routers are', async (t) => {
  const read = createSignalReader('sidecar', routers(use(0, 99)));
  t.like(await read(withSidecar(NOBODY)), { source: 'sidecar', signal: { kind: 'unknown' }, missed: true });
  const deaf = await serve(t, '{"active_connections":0,"seconds_inactive":99,"listening":false}');
  t.like(await read(withSidecar(deaf)), { source: 'sidecar', signal: { kind: 'unknown' }, missed: true });
});

test('sidecar: for a session without one the routers speak', async (t) => {
  const read = (signal: Signal) => createSignalReader('sidecar', routers(signal))(withSidecar(undefined));
  t.deepEqual(await read(use(0, 7)), { source: 'router', signal: use(0, 7), missed: false });
  t.deepEqual(await read(unknown('x')), { source: 'router', signal: unknown('x'), missed: false });
});

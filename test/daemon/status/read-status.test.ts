import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Server } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { parseStatus, readStatus } from '../../../daemon/status/read-status.ts';

async function backend(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  t.teardown(() => server.closeAllConnections());
  return listening(t, server);
}

async function listening(t: ExecutionContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const GOOD = '{"active_connections":2,"seconds_inactive":0,"listening":true}';

test('reads a status from GET /status', async (t) => {
  const address = await backend(t, (request, response) => {
    response.statusCode = request.url === '/status' && request.method === 'GET' ? 200 : 404;
    response.end(GOOD);
  });
  t.deepEqual(await readStatus(address), { kind: 'use', activeConnections: 2, secondsInactive: 0 });
});

test('what is not a status to the letter is unknown', (t) => {
  const wrong = [
    '',
    'null',
    '[]',
    '{}',
    'OK',
    GOOD.slice(0, -1),
    '{"active_connections":-1,"seconds_inactive":5}',
    '{"active_connections":0,"seconds_inactive":-5}',
    '{"active_connections":0.5,"seconds_inactive":5}',
    '{"active_connections":"0","seconds_inactive":99}',
    '{"active_connections":null,"seconds_inactive":99}',
    '{"active_connections":0,"seconds_inactive":"99"}',
    '{"active_connections":0,"seconds_inactive":1e999}',
    '{"active_connections":0,"seconds_inactive":NaN}',
    '{"active_connections":0}',
    '{"seconds_inactive":99}',
    '{"active_connections":0,"seconds_inactive":99,"listening":"yes"}',
    '{"active_connections":0,"seconds_inactive":99,"listening":false}',
  ];
  for (const body of wrong) t.is(parseStatus(body).kind, 'unknown', body);
});

test('an endless answer is cut off', async (t) => {
  const address = await backend(t, (_request, response) => {
    const chunk = Buffer.alloc(64 * 1024, ' ');
    const pour = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', pour);
    pour();
  });
  const signal = await readStatus(address);
  t.like(signal, { kind: 'unknown' });
  t.regex((signal as { message: string }).message, /longer than 4096 bytes/);
});

test('an answer that is longer is refused, also in one piece', async (t) => {
  const address = await backend(t, (_request, response) => response.end(GOOD.padEnd(4097)));
  t.like(await readStatus(address), {
    kind: 'unknown',
    message: 'GET /status: its answer is longer than 4096 bytes',
  });
  const longest = await backend(t, (_request, response) => response.end(GOOD.padEnd(4096)));
  t.like(await readStatus(longest), { kind: 'use' });
});

for (const [what, answer, message] of [
  ['is none', '', /socket hang up/],
  ['is cut off', 'HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{"active', /aborted/],
  ['is another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', /Parse Error/],
  ['changes the protocol', `HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n${GOOD}`, /101/],
] as const) {
  test(`an answer that ${what} is unknown at once`, async (t) => {
    const server = createSocketServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answer));
    });
    const signal = await readStatus(await listening(t, server));
    t.is(signal.kind, 'unknown');
    t.regex((signal as { message: string }).message, message);
  });
}

test('an answer that hangs before or in the middle is given up', async (t) => {
  const silent = await backend(t, () => {});
  const stuck = await backend(t, (_request, response) => {
    response.write(GOOD.slice(0, 10));
  });
  for (const signal of await Promise.all([readStatus(silent), readStatus(stuck)])) {
    t.like(signal, { kind: 'unknown', message: 'GET /status: no whole answer within 2 s' });
  }
});

test('redirects are not followed, errors are not read, nobody there is no answer', async (t) => {
  let followed = false;
  const other = await backend(t, (_request, response) => {
    followed = true;
    response.end(GOOD);
  });
  const redirecting = await backend(t, (_request, response) => {
    response.writeHead(302, { location: `http://${other}/status` }).end(GOOD);
  });
  const failing = await backend(t, (_request, response) => {
    response.writeHead(500).end(GOOD);
  });
  t.deepEqual(await readStatus(redirecting), { kind: 'unknown', message: 'GET /status: it answered 302' });
  t.deepEqual(await readStatus(failing), { kind: 'unknown', message: 'GET /status: it answered 500' });
  t.like(await readStatus('127.0.0.1:1'), { kind: 'unknown' });
  t.false(followed);
});

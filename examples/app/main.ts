/**
 * The quick start's app: a counter that everyone at one session's address shares. Each session is a process of
 * its own, so each has a counter of its own. It knows nothing of Spawner but the environment it is given.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';
import { createActivity } from './activity.ts';

const {
  HOST = '127.0.0.1',
  PORT = '3000',
  SPAWNER_SESSION_ID = 'none',
  SPAWNER_BASE_PATH = '/',
} = process.env;
const page = readFileSync(join(import.meta.dirname, 'page.html'));
const activity = createActivity(() => performance.now() / 1000);
const visitors = new Set<WebSocket>();
let count = 0;

const server = createServer((request, response) => {
  const path = pathOf(request);
  if (path === '/status') return json(response, 200, activity.status());
  response.once('close', activity.begin());
  if (path === '/session')
    return json(response, 200, { session: SPAWNER_SESSION_ID, pid: process.pid, count });
  if (path !== '/') return json(response, 404, { error: `nothing is at ${path}` });
  response
    .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
    .end(page);
});

new WebSocketServer({ server, maxPayload: 1024 }).on('connection', (socket, request) => {
  if (pathOf(request) !== '/live') return socket.close(1008, 'nothing is there');
  const end = activity.begin();
  visitors.add(socket);
  tellAll();
  socket.on('message', (data) => {
    if (data.toString() !== 'add') return;
    count++;
    tellAll();
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    visitors.delete(socket);
    end();
    tellAll();
  });
});

server.listen(Number(PORT), HOST, () => {
  const { port } = server.address() as AddressInfo;
  console.log(`session ${SPAWNER_SESSION_ID} listens on ${HOST}:${port}`);
});

process.once('SIGTERM', () => {
  for (const visitor of visitors) visitor.close(1001, 'the session ends');
  server.close(() => process.exit(0));
  server.closeAllConnections();
});

/** What is asked for, below the base path too: with `--keep-prefix` that is part of each request. */
function pathOf(request: IncomingMessage): string {
  const [path = '/'] = (request.url ?? '/').split('?');
  return path.startsWith(SPAWNER_BASE_PATH) ? `/${path.slice(SPAWNER_BASE_PATH.length)}` : path;
}

function tellAll(): void {
  const state = { session: SPAWNER_SESSION_ID, pid: process.pid, count, visitors: visitors.size };
  for (const visitor of visitors) visitor.send(JSON.stringify(state));
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

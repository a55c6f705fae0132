/**
 * The app of what a browser is tried with; everything of it names the session. It listens once the file GATE exists,
 * if that is set.
 */
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';

const { PORT, HOST, SPAWNER_SESSION_ID: session, SPAWNER_BASE_PATH: ours, GATE } = process.env;

/** What is at each path below the app's root; `root` is how requests name that. */
const pages = (root) => ({
  '': () => ['text/html', `<!doctype html><title>${session}</title><h1>The app of a session</h1>`],
  landed: () => ['text/html', `<!doctype html><title>${session}</title><h1>Landed</h1>`],
  redirect: (_, response) => {
    response.statusCode = 302;
    response.setHeader('location', `${root}landed`);
    return ['text/plain', ''];
  },
  // Wider than the session's own place, whatever that is.
  'set-cookies': (_, response) => {
    response.setHeader('set-cookie', [`own=${session}; Path=/`, `wide=${session}; Path=/; Domain=localhost`]);
    return ['text/plain', 'set'];
  },
  cookies: (request) => ['text/plain', request.headers.cookie ?? ''],
  'worker.js': (_, response) => {
    response.setHeader('service-worker-allowed', '/');
    return ['text/javascript', worker];
  },
});

/** Takes the pages within its reach at once, and answers one path of theirs itself. */
const worker = `
onactivate = (event) => event.waitUntil(clients.claim());
onfetch = (event) => {
  if (event.request.url.endsWith('/by-worker')) event.respondWith(new Response('worker of ${session}'));
};`;

const server = createServer((request, response) => {
  const root = request.url.startsWith(ours) ? ours : '/';
  const path = request.url.slice(root.length).replace(/\?.*/, '');
  const page = pages(root)[path];
  if (!page) response.statusCode = 404;
  const [type, body] = page?.(request, response) ?? ['text/plain', `no page of ${session}`];
  response.setHeader('content-type', type);
  response.end(body);
});
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (message) => socket.send(`${session}:${message}`));
});

while (GATE && !existsSync(GATE)) await sleep(10);
server.listen(Number(PORT), HOST);

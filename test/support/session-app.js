/**
 * The app of tests: every answer names the session. What it does is said by its environment:
 * START_DELAY_MS, EXIT_CODE (say something, then exit), LISTEN_ON, STUBBORN (ignores SIGTERM); and, while it runs, by
 * `PUT /status` with what `GET /status` is to answer from then on (`hang` for no answer at all).
 */
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const { PORT, HOST, SPAWNER_SESSION_ID: session } = process.env;
const { START_DELAY_MS = '0', EXIT_CODE, LISTEN_ON = HOST, STUBBORN } = process.env;
let status = '{"active_connections":0,"seconds_inactive":0}';

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const server = createServer(async (request, response) => {
  const { method, url, headers } = request;
  if (url === '/status' && method === 'PUT') {
    status = await read(request);
    return response.end();
  }
  if (url === '/status') return status === 'hang' ? undefined : response.end(status);
  if (url === '/env') return response.end(JSON.stringify(process.env));
  const body = await read(request);
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ session, pid: process.pid, method, url, headers, bytes: body.length }));
});
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (message) => socket.send(`${session}:${message}`));
});

if (STUBBORN) process.on('SIGTERM', () => {});
if (EXIT_CODE) {
  console.error('cannot find my database');
  process.exit(Number(EXIT_CODE));
}
setTimeout(() => server.listen(Number(PORT), LISTEN_ON), Number(START_DELAY_MS));

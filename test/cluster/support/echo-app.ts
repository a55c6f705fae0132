import { running } from './example-app.ts';

/**
 * Environment that makes the example app another app: it sends back what it is sent as it comes, and says by which
 * connection it was asked, and as which session.
 */
export const echoes: Record<string, string> = running(`
  const { HOST, PORT, SPAWNER_SESSION_ID } = process.env;
  process.getBuiltinModule('http').createServer((request, response) => {
    response.writeHead(200, { 'x-peer': request.socket.remotePort, 'x-session': SPAWNER_SESSION_ID });
    response.flushHeaders();
    request.pipe(response);
  }).listen(PORT, HOST);
  process.env.PORT = 0;
`);

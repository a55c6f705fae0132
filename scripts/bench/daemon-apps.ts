/**
 * The apps of all played Pods, and their sidecars: one server at all addresses, which knows each of its own as an app.
 */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { answerAll } from './child.ts';

const visitedAt = new Map<string, number>();

const play: RequestListener = ({ url, socket }, response) => {
  const app = socket.localAddress as string;
  const now = performance.now();
  if (url !== '/status') {
    visitedAt.set(app, now);
    return void response.end('hello\n');
  }
  const secondsInactive = (now - (visitedAt.get(app) ?? 0)) / 1000;
  response.end(JSON.stringify({ active_connections: 0, seconds_inactive: secondsInactive }));
};

/** Answers when it listens on the ports. */
answerAll(async (ports: number[]): Promise<true> => {
  await Promise.all(ports.map(listen));
  return true;
});

async function listen(port: number): Promise<void> {
  const server = createServer(play).listen({ port, host: '0.0.0.0', backlog: 4096 });
  await once(server, 'listening');
}

/** The apps of all played Pods: one server that listens at all addresses, and knows each of its own as an app. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { answerAll } from './child.ts';

const visitedAt = new Map<string, number>();

/** Answers when it listens on the port. */
answerAll(async (port: number): Promise<true> => {
  const server = createServer(({ url, socket }, response) => {
    const app = socket.localAddress as string;
    const now = performance.now();
    if (url !== '/status') {
      visitedAt.set(app, now);
      return void response.end('hello\n');
    }
    const secondsInactive = (now - (visitedAt.get(app) ?? 0)) / 1000;
    response.end(JSON.stringify({ active_connections: 0, seconds_inactive: secondsInactive }));
  });
  await once(server.listen({ port, host: '0.0.0.0', backlog: 4096 }), 'listening');
  return true;
});

/** The app of all sessions: echoes what comes over a WebSocket. */
import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import { answerAll } from './child.ts';

/** Answers when it listens on all of these ports of 127.0.0.1. */
answerAll(async (ports: number[]): Promise<true> => {
  await Promise.all(
    ports.map(async (port) => {
      const server = new WebSocketServer({
        host: '127.0.0.1',
        port,
        perMessageDeflate: false,
        backlog: 4096,
      });
      server.on('connection', (socket) => {
        socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
      });
      await once(server, 'listening');
    }),
  );
  return true;
});

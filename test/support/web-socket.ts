import { once } from 'node:events';
import { WebSocket } from 'ws';

/** An open WebSocket to a path behind a unix socket. */
export async function connectWebSocket(socketPath: string, path: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws+unix://${socketPath}:${path}`);
  await once(socket, 'open');
  return socket;
}

/** Sends a message and returns the next one that arrives. */
export async function say(socket: WebSocket, message: string): Promise<string> {
  const answer = once(socket, 'message');
  socket.send(message);
  return String((await answer)[0]);
}

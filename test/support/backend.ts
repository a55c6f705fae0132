import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** What a backend says of a request it got. */
export interface Echo {
  backend: string;
  method: string;
  /** The request target, one character a byte. */
  url: string;
  headers: { [name: string]: string };
  bytes: number;
}

export interface Backend {
  /** `127.0.0.1:port` */
  address: string;
  /** The request targets it was asked for, WebSockets included. */
  seen: string[];
  /** Its open WebSockets. */
  sockets: Set<WebSocket>;
  stop(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A session's app: answers each request with an `Echo`, each WebSocket message with `<name>:<message>`.
 * `handler` answers instead, if given.
 */
export async function startBackend(name: string, handler: Handler = echo(name)): Promise<Backend> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url ?? '');
    handler(request, response);
  });
  const webSockets = new WebSocketServer({ server });
  webSockets.on('connection', (socket, request) => {
    seen.push(request.url ?? '');
    socket.on('message', (message) => socket.send(`${name}:${message}`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    sockets: webSockets.clients,
    stop: () => close(server, webSockets),
  };
}

function echo(backend: string): Handler {
  return (request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      response.end(JSON.stringify({ backend, method, url, headers, bytes }));
    });
  };
}

async function close(server: Server, webSockets: WebSocketServer): Promise<void> {
  for (const socket of webSockets.clients) {
    socket.terminate();
  }
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

/** An address that nobody listens on. */
export async function closedAddress(): Promise<string> {
  const backend = await startBackend('closed');
  await backend.stop();
  return backend.address;
}

/** A backend that reads an upload to its end, and tells of its first bytes when they arrive. */
export async function startUploadBackend(): Promise<Backend & { first: Promise<string> }> {
  let arrived = (_: string) => {};
  const first = new Promise<string>((resolve) => {
    arrived = resolve;
  });
  const backend = await startBackend('upload', async (incoming, response) => {
    for await (const chunk of incoming) {
      arrived(String(chunk));
    }
    response.end('all of it');
  });
  return { ...backend, first };
}

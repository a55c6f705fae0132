import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type Bytes, readBytes } from './bytes.ts';
import { type Head, readChunks, readHead } from './message.ts';

/** One request as an app gets it. */
export interface Visit extends Head {
  /** The whole body, whichever way it is framed. */
  body(): Promise<string>;
  /** What follows the head, as it arrives. */
  bytes: Bytes;
  socket: Socket;
  /** Sends bytes as they are. */
  send(text: string): void;
  /** Sends bytes as they are, and ends. */
  end(text: string): void;
}

export type Handler = (visit: Visit) => void | Promise<void>;

export interface App {
  /** `127.0.0.1:port` */
  address: string;
  visits: Visit[];
  stop(): Promise<void>;
}

/** Reads the body and answers with the request line: what most rows ask for. */
export const echo: Handler = async (visit) => {
  await visit.body();
  visit.end(plain(visit.line));
};

/** A whole answer with its length. */
export function plain(body: string, ...headers: string[]): string {
  return [`HTTP/1.1 200 OK`, `Content-Length: ${body.length}`, ...headers, '', body].join('\r\n');
}

/** A session's app on a raw socket, which knows just enough of HTTP/1.1 to tell requests apart. */
export async function startApp(handler: Handler = echo): Promise<App> {
  const visits: Visit[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const bytes = readBytes(socket);
    const head = await bytes.until('\r\n\r\n');
    if (head === undefined) return socket.end();
    const visit = visitOf(readHead(head), bytes, socket);
    visits.push(visit);
    await handler(visit);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    visits,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function visitOf(head: Head, bytes: Bytes, socket: Socket): Visit {
  return {
    ...head,
    bytes,
    socket,
    send(text) {
      socket.write(text, 'latin1');
    },
    end(text) {
      socket.end(text, 'latin1');
    },
    async body() {
      if (head.header('transfer-encoding') === 'chunked') return readChunks(bytes);
      return (await bytes.exactly(Number(head.header('content-length') ?? 0))) ?? '';
    },
  };
}

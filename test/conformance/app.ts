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
    let kept = true;
    while (kept) {
      const head = await bytes.until('\r\n\r\n');
      if (head === undefined) return socket.end();
      const { visit, answered } = visitOf(readHead(head), bytes, socket);
      visits.push(visit);
      await handler(visit);
      kept = await answered;
    }
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

/** `answered`: whether the connection is good for another request after the answer, whenever that is. */
function visitOf(head: Head, bytes: Bytes, socket: Socket): { visit: Visit; answered: Promise<boolean> } {
  const { promise: answered, resolve } = Promise.withResolvers<boolean>();
  const hasBody = head.header('transfer-encoding') ?? head.header('content-length') ?? '0';
  let unread = hasBody !== '0';
  const visit: Visit = {
    ...head,
    bytes,
    socket,
    send(text) {
      socket.write(text, 'latin1');
    },
    end(text) {
      const kept = !unread && head.header('connection') !== 'close' && isWhole(text);
      if (kept) socket.write(text, 'latin1');
      else socket.end(text, 'latin1');
      resolve(kept);
    },
    async body() {
      unread = false;
      if (head.header('transfer-encoding') === 'chunked') return readChunks(bytes);
      return (await bytes.exactly(Number(head.header('content-length') ?? 0))) ?? '';
    },
  };
  return { visit, answered };
}

/** Whether an answer is as long as it says, and others may follow it (RFC 9112, 6.3 and 9.3). */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n') + 4;
  const length = /\r\nContent-Length: *(\d+)\r\n/i.exec(text.slice(0, end))?.[1];
  return (
    /^HTTP\/1\.1 [2-5]\d\d /.test(text) &&
    Number(length) === text.length - end &&
    !/\r\nConnection: *close\r\n/i.test(text.slice(0, end))
  );
}

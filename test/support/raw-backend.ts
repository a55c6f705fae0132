import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface RawBackend {
  /** `127.0.0.1:port` */
  address: string;
  stop(): Promise<void>;
}

/**
 * A backend that parses nothing: answers every request with its own name, a space and the request line, byte for
 * byte, and closes. Request bodies are not expected.
 */
export async function startRawBackend(name: string): Promise<RawBackend> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let head = '';
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      if (head.includes('\r\n\r\n')) {
        const body = `${name} ${head.slice(0, head.indexOf('\r\n'))}`;
        socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`, 'latin1');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) {
          socket.destroy();
        }
      }),
  };
}

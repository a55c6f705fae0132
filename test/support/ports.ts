import { createServer, type Server } from 'node:net';

// Below the ports that the kernel gives to outgoing connections (from 32768 on).
const FIRST = 20_000;
const LAST = 31_900;
const BLOCK = 150;

/** A range of ports that no other test uses: whoever listens on the port before it owns it. */
export async function reservePorts(): Promise<{ first: number; last: number; release: () => void }> {
  const blocks = (LAST - FIRST) / BLOCK;
  const start = Math.floor(Math.random() * blocks);
  for (let tried = 0; tried < blocks; tried++) {
    const base = FIRST + ((start + tried) % blocks) * BLOCK;
    const owner = await listen(base);
    if (owner) return { first: base + 1, last: base + BLOCK - 1, release: () => owner.close() };
  }
  throw new Error('every block of ports is in use');
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** A port that nobody used a moment ago, for a program that can't take 0. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

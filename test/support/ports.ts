import { createServer, type Server } from 'node:net';

// Below the ports that the kernel gives to outgoing connections (from 32768 on).
const FIRST = 20_000;
const LAST = 31_900;
const BLOCK = 150;

/**
 * A range of ports that no other test uses, for programs that can't take port 0. Whoever listens on the port before
 * it owns it.
 */
export async function reservePorts(): Promise<{ first: number; last: number; release: () => void }> {
  const blocks = Math.floor((LAST - FIRST) / BLOCK);
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

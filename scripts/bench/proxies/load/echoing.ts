/** Sends messages through WebSockets, each when the one before came back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { argumentOf, serveTask } from './serve-task.ts';
import { type Address, open } from './web-sockets.ts';

export interface Echoing extends Address {
  connections: number;
  milliseconds: number;
}

const { connections, milliseconds, ...address } = argumentOf<Echoing>();
const message = 'x'.repeat(64);
const sockets = await Promise.all(Array.from({ length: connections }, (_, index) => open(address, index)));

/** How many came back. */
serveTask(async () => {
  let echoed = 0;
  for (const socket of sockets) {
    socket.on('message', () => {
      echoed++;
      socket.send(message);
    });
    socket.send(message);
  }
  await sleep(milliseconds);
  return echoed;
});

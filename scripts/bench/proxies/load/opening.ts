/** Opens WebSockets and closes them again, some at a time. */
import { once } from 'node:events';
import { argumentOf, serveTask } from './serve-task.ts';
import { type Address, open } from './web-sockets.ts';

export interface Opening extends Address {
  /** How many at a time. */
  connections: number;
  milliseconds: number;
}

const { connections, milliseconds, ...address } = argumentOf<Opening>();

/** How many were opened. */
serveTask(async () => {
  const until = performance.now() + milliseconds;
  let opened = 0;
  const openOneAfterTheOther = async () => {
    while (performance.now() < until) {
      const socket = await open(address, opened++);
      socket.terminate();
      await once(socket, 'close');
    }
  };
  await Promise.all(Array.from({ length: connections }, openOneAfterTheOther));
  return opened;
});

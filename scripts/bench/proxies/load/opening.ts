/** Opens WebSockets and closes them again, some at a time. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { argumentOf, serveTask } from './serve-task.ts';

export interface Opening {
  /** Of a proxy on 127.0.0.1. */
  port: number;
  /** Of sessions, visited in turn. */
  ids: string[];
  /** How many at a time. */
  connections: number;
  milliseconds: number;
}

const { port, ids, connections, milliseconds } = argumentOf<Opening>();

/** How many were opened. */
serveTask(async () => {
  const until = performance.now() + milliseconds;
  let opened = 0;
  const openOneAfterTheOther = async () => {
    while (performance.now() < until) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/p/${ids[opened++ % ids.length]}/`);
      await once(socket, 'open');
      socket.terminate();
      await once(socket, 'close');
    }
  };
  await Promise.all(Array.from({ length: connections }, openOneAfterTheOther));
  return opened;
});

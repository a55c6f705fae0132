import { once } from 'node:events';
import { WebSocket } from 'ws';

/** Sessions behind a proxy on a port of 127.0.0.1. */
export interface Address {
  port: number;
  ids: string[];
}

/** Opens the `index`-th WebSocket, at one session after the other. */
export async function open({ port, ids }: Address, index: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/p/${ids[index % ids.length]}/`);
  await once(socket, 'open');
  return socket;
}

/** Connections to a proxy that are asked one thing at a time. One that is closed ends the program. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { type Address, open } from './web-sockets.ts';

export interface Channel {
  ask(answered: () => void): void;
}

/** Small GETs of random sessions. Lean, since whatever time it takes itself would count as the proxy's. */
export async function httpChannel({ port, ids }: Address): Promise<Channel> {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  await once(socket, 'connect');
  socket.once('close', failed);
  const requests = ids.map((id) => `GET /p/${id}/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  let answered = () => {};
  socket.on('data', (answer) => {
    // It is so small that it comes in one piece.
    if (!/^HTTP\/1.1 200 .*\r\n\r\n\d+\n$/s.test(answer.toString('latin1')))
      throw new Error(`answer: ${answer}`);
    answered();
  });
  return {
    ask(callback) {
      answered = callback;
      socket.write(requests[Math.floor(Math.random() * requests.length)] as string);
    },
  };
}

/** Messages through a WebSocket that echoes. */
export async function webSocketChannel(address: Address, index: number): Promise<Channel> {
  const socket = await open(address, index);
  const message = 'x'.repeat(64);
  let answered = () => {};
  socket.once('close', failed);
  socket.on('message', () => answered());
  return {
    ask(callback) {
      answered = callback;
      socket.send(message);
    },
  };
}

function failed(): never {
  throw new Error('the proxy has closed a connection');
}

/**
 * Sends requests, or WebSocket messages, at a fixed rate whatever becomes of those before, as visitors do who do not know
 * of each other: at random moments. A latency counts from the moment on that it was to be sent at, so that a proxy which
 * stalls is charged for all that waits meanwhile.
 */
import { type Channel, httpChannel, webSocketChannel } from './channels.ts';
import { argumentOf, serveTask } from './serve-task.ts';
import type { Address } from './web-sockets.ts';

export interface Paced extends Address {
  kind: 'http' | 'webSocket';
  connections: number;
  perSecond: number;
  milliseconds: number;
}

const { kind, connections, perSecond, milliseconds, ...address } = argumentOf<Paced>();
const openChannel = kind === 'http' ? httpChannel : webSocketChannel;
const free: Channel[] = await Promise.all(
  Array.from({ length: connections }, (_, index) => openChannel(address, index)),
);

/** The latencies, in ms. */
serveTask(() => {
  const latencies: number[] = [];
  const due: number[] = [];
  const start = performance.now();
  let next = start;
  return new Promise((resolve) => {
    const turn = () => {
      const now = performance.now();
      for (; next < now && next < start + milliseconds; next += gap()) due.push(next);
      while (due.length > 0 && free.length > 0) send(free.shift() as Channel, due.shift() as number);
      if (next >= start + milliseconds && due.length === 0 && free.length === connections) resolve(latencies);
      // Not a timer, which would let a millisecond's requests out at once.
      else setImmediate(turn);
    };
    turn();
  });

  function send(channel: Channel, dueAt: number) {
    channel.ask(() => {
      latencies.push(performance.now() - dueAt);
      free.push(channel);
    });
  }
});

function gap(): number {
  return (-Math.log(1 - Math.random()) * 1000) / perSecond;
}

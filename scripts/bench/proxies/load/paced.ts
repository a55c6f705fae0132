/**
 * Sends requests, or WebSocket messages, at a fixed rate whatever becomes of those before. A latency counts from the
 * moment on that it was due, so that a proxy which stalls is charged for all that waits meanwhile.
 */
import { Worker } from 'node:worker_threads';
import { type Channel, httpChannel, webSocketChannel } from './channels.ts';
import { nowMs } from './clock.ts';
import type { Pace } from './pacer.ts';
import { argumentOf, serveTask } from './serve-task.ts';
import type { Address } from './web-sockets.ts';

export interface Paced extends Address, Pace {
  kind: 'http' | 'webSocket';
  connections: number;
}

const { kind, connections, perSecond, milliseconds, ...address } = argumentOf<Paced>();
const openChannel = kind === 'http' ? httpChannel : webSocketChannel;
const free: Channel[] = await Promise.all(
  Array.from({ length: connections }, (_, index) => openChannel(address, index)),
);

/** The latencies, in ms. */
serveTask(() => {
  const latencies: number[] = [];
  const waiting: number[] = [];
  let areAllDue = false;
  return new Promise((resolve) => {
    const pace: Pace = { perSecond, milliseconds };
    new Worker(new URL('pacer.ts', import.meta.url), { workerData: pace }).on('message', (due?: number) => {
      if (due === undefined) areAllDue = true;
      else waiting.push(due);
      next();
    });

    function next() {
      while (waiting.length > 0 && free.length > 0) send(free.shift() as Channel, waiting.shift() as number);
      if (areAllDue && waiting.length === 0 && free.length === connections) resolve(latencies);
    }

    function send(channel: Channel, due: number) {
      channel.ask(() => {
        latencies.push(nowMs() - due);
        free.push(channel);
        next();
      });
    }
  });
});

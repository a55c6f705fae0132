/** Many visitors, each with one WebSocket that stays open. */
import { once } from 'node:events';
import pLimit from 'p-limit';
import { WebSocket } from 'ws';
import { answerAll } from './child.ts';

export type Order =
  | { do: 'open'; url: string; paths: string[] }
  /** Each message is answered before the report. */
  | { do: 'echo'; messages: number; perSecond: number };

export interface Report {
  /** From a message to its echo, in milliseconds; none for `open`. */
  latenciesMs: number[];
  /** WebSockets that are open. */
  open: number;
}

const OPENED_AT_A_TIME = 100;
const TICK_MS = 2;
const MESSAGE = Buffer.alloc(64, 'x');

const sockets: WebSocket[] = [];

async function open(url: string, paths: string[]): Promise<void> {
  const limit = pLimit(OPENED_AT_A_TIME);
  await Promise.all(
    paths.map((path) =>
      limit(async () => {
        const socket = new WebSocket(url + path, { perMessageDeflate: false });
        sockets.push(socket);
        await once(socket, 'open');
      }),
    ),
  );
}

/** In turn over each open WebSocket, at a fixed rate, whether answers come or not. */
async function echo(messages: number, perSecond: number): Promise<number[]> {
  const living = sockets.filter(isOpen);
  const latencies: Promise<number>[] = [];
  const startedAt = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
      while (latencies.length < Math.min(due, messages)) {
        latencies.push(roundTrip(living[latencies.length % living.length] as WebSocket));
      }
      if (latencies.length < messages) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  return Promise.all(latencies);
}

/** Infinite if the WebSocket closes instead. */
function roundTrip(socket: WebSocket): Promise<number> {
  const sentAt = performance.now();
  return new Promise((resolve) => {
    const settle = (latency: number) => {
      socket.off('message', answered).off('close', lost);
      resolve(latency);
    };
    const answered = () => settle(performance.now() - sentAt);
    const lost = () => settle(Number.POSITIVE_INFINITY);
    socket.on('message', answered).on('close', lost);
    socket.send(MESSAGE);
  });
}

function isOpen({ readyState }: WebSocket): boolean {
  return readyState === WebSocket.OPEN;
}

answerAll(async (order: Order): Promise<Report> => {
  const latenciesMs = order.do === 'echo' ? await echo(order.messages, order.perSecond) : [];
  if (order.do === 'open') await open(order.url, order.paths);
  return { latenciesMs, open: sockets.filter(isOpen).length };
});

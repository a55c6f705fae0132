/**
 * A thread of paced.ts that tells when each request is due: at random moments, as visitors do who do not know of each
 * other. It can sleep for microseconds, which Node's timers can't, and so leave the processor to what is measured.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { nowMs } from './clock.ts';

export interface Pace {
  perSecond: number;
  milliseconds: number;
}

const { perSecond, milliseconds } = workerData as Pace;
const neverChanged = new Int32Array(new SharedArrayBuffer(4));

const start = nowMs();
for (let due = start; due < start + milliseconds; due += gap()) {
  const left = due - nowMs();
  if (left > 0) Atomics.wait(neverChanged, 0, 0, left);
  parentPort?.postMessage(due);
}
// No more.
parentPort?.postMessage(undefined);

function gap(): number {
  return (-Math.log(1 - Math.random()) * 1000) / perSecond;
}

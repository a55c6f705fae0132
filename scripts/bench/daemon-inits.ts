import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Daemon } from '../../test/support/daemon.ts';
import { percentile } from './percentiles.ts';
import type { Row } from './suite.ts';

export interface Inits {
  ids: string[];
  perSecond: number;
  /** From a request of `/init` to its answer, in milliseconds. */
  latenciesMs: number[];
}

/** Starts `count` sessions, `atATime` of them at a time, and does with each of them what is to be done then. */
export async function initMany(
  daemon: Daemon,
  count: number,
  atATime: number,
  then: (id: string) => Promise<unknown> = async () => {},
): Promise<Inits> {
  const limit = pLimit(atATime);
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  const init = async () => {
    const sentAt = performance.now();
    const id = await initOnce(daemon);
    latenciesMs.push(performance.now() - sentAt);
    await then(id);
    return id;
  };
  const ids = await Promise.all(Array.from({ length: count }, () => limit(init)));
  return { ids, perSecond: count / ((performance.now() - startedAt) / 1000), latenciesMs };
}

/** Answers with the id. A daemon that is asked for too much says so, and is asked again. */
async function initOnce(daemon: Daemon): Promise<string> {
  for (;;) {
    const { status, body, json, headers } = await daemon.api('POST', '/init');
    if (status === 201) return json.id;
    if (status !== 503) throw new Error(`/init answered ${status}: ${body}`);
    await sleep(1_000 * Number(headers['retry-after'] ?? 1));
  }
}

/** What they took, one after the other. */
export function latencyRows(subject: string, { latenciesMs }: Inits): Row[] {
  return [0.5, 0.99].map((part) => ({
    ...{ work: '/init, one after the other', subject, metric: `p${100 * part}`, unit: 'ms' },
    value: percentile(latenciesMs, part),
  }));
}

/** What they took, many at a time. */
export function rateRows(subject: string, atATime: number, { latenciesMs, perSecond }: Inits): Row[] {
  const work = `/init, ${atATime} at a time`;
  return [
    { work, subject, metric: 'rate', unit: 'sessions/s', value: perSecond },
    { work, subject, metric: 'p99', unit: 'ms', value: percentile(latenciesMs, 0.99) },
  ];
}

/** Visits sessions at a fixed rate, and never waits for an answer before the next visit is due. */
import { Pool } from 'undici';
import { answerAll } from './child.ts';

export interface Visits {
  socketPath: string;
  /** Taken in turn. */
  paths: string[];
  perSecond: number;
}

/** What came of the visits that were begun in one period. */
export interface Period {
  /** From the sending of a request to the whole answer, in milliseconds. */
  latenciesMs: number[];
  /** Requests that were not answered 200. */
  failed: number;
}

const TICK_MS = 2;
const CONNECTIONS = 128;

let period = newPeriod();

function newPeriod() {
  return { latenciesMs: [] as number[], failed: 0, pending: new Set<Promise<void>>() };
}

function begin({ socketPath, paths, perSecond }: Visits): void {
  const pool = new Pool('http://router', { socketPath, connections: CONNECTIONS });
  const startedAt = performance.now();
  let sent = 0;
  setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
    for (; sent < due; sent++) {
      const { pending } = period;
      const one = visit(pool, paths[sent % paths.length] as string, period);
      pending.add(one);
      void one.then(() => pending.delete(one));
    }
  }, TICK_MS);
}

async function visit(pool: Pool, path: string, into: Period): Promise<void> {
  const sentAt = performance.now();
  try {
    const { statusCode, body } = await pool.request({ path, method: 'GET' });
    await body.dump();
    if (statusCode === 200) into.latenciesMs.push(performance.now() - sentAt);
    else into.failed += 1;
  } catch {
    into.failed += 1;
  }
}

// The first question begins; each one ends a period.
answerAll(async (visits: Visits | 'end'): Promise<Period> => {
  if (visits !== 'end') begin(visits);
  const ended = period;
  period = newPeriod();
  await Promise.all(ended.pending);
  return { latenciesMs: ended.latenciesMs, failed: ended.failed };
});

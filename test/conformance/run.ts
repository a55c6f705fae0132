import { setTimeout as sleep } from 'node:timers/promises';
import { newCase } from './case.ts';
import { expectedOf, type Row } from './row.ts';
import type { World } from './world.ts';

export interface Result {
  row: Row;
  expected: string;
  /** What was seen, or what went wrong. */
  seen: string;
}

/** Rows at the same time: more would only wait for each other. */
export const SIDE_BY_SIDE = 16;

const PATIENCE_MS = 20_000;

/** Runs a row that has a meaning in the world's mode. */
export async function runRow(row: Row, world: World): Promise<Result> {
  const expected = expectedOf(row, world.mode, world.stack) ?? '';
  const c = newCase(world);
  const deadline = new AbortController();
  const seen = await Promise.race([
    row.see(c).catch((error) => `failed: ${error instanceof Error ? error.message : error}`),
    sleep(PATIENCE_MS, `nothing came of it in ${PATIENCE_MS / 1000} s`, { signal: deadline.signal }),
  ]);
  deadline.abort();
  await c.end();
  return { row, expected, seen: c.normal(seen) };
}

/** What a run of the benchmark measured, and what is made of that. Pure. */
import type { Machine, Versions } from './machine.ts';
import { type Bar, plotOf } from './plot.ts';
import { isOurs, RATIO, SMALL_GET } from './proxies/names.ts';
import type { Result } from './suite.ts';
import { goalsTable, rowsTables } from './table.ts';

/** `--json` writes just this. */
export interface Report {
  /** That made it. */
  command: string;
  rounds: number;
  machine: Machine;
  versions: Versions;
  suites: ({ name: string; about: string } & Result)[];
}

/** For the terminal. */
export function textOf({ suites }: Report): string {
  const tables = suites.flatMap(({ rows }) => rowsTables(rows));
  return [...tables, goalsTable(suites.flatMap(({ goals }) => goals))].join('\n\n');
}

/** Undefined if this run did not compare proxies. */
export function plotOfReport({ suites }: Report): string | undefined {
  const bars = suites
    .flatMap(({ rows }) => rows)
    .filter(({ work, metric }) => work === SMALL_GET && metric === RATIO)
    .map(({ subject, value }): Bar => ({ label: subject, ratio: value, isOurs: isOurs(subject) }));
  if (bars.length === 0) return undefined;
  return plotOf(
    'CPU of a small GET, against a static proxy',
    bars.toSorted((a, b) => a.ratio - b.ratio),
  );
}

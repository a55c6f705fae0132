/** What becomes of the values that rounds measured. Pure. */
import { median } from '../percentiles.ts';
import type { Row } from '../suite.ts';

/** What one round measured of one thing, by metric. */
export type Sample = Record<string, { value: number; unit: string }>;

/** A metric of something, round by round. */
export interface Series extends Pick<Row, 'work' | 'subject' | 'metric' | 'unit'> {
  values: number[];
}

/** Of samples that all have the metrics of the first. */
export function seriesOf(thing: { work: string; subject: string }, samples: Sample[]): Series[] {
  return Object.entries(samples[0] ?? {}).map(([metric, { unit }]) => ({
    work: thing.work,
    subject: thing.subject,
    metric,
    unit,
    values: samples.map((sample) => sample[metric]?.value ?? Number.NaN),
  }));
}

export function rowOf({ values, ...series }: Series): Row {
  return { ...series, value: median(values), range: [Math.min(...values), Math.max(...values)] };
}

/**
 * Compares two series round by round: neighbours in time, so that a machine which is slower for a while is so for both.
 * Undefined if either was not measured.
 */
export function compared(
  one: Series | undefined,
  other: Series | undefined,
  compare: (one: number, other: number) => number,
): number[] | undefined {
  if (!one || !other) return undefined;
  return one.values.map((value, round) => compare(value, other.values[round] ?? Number.NaN));
}

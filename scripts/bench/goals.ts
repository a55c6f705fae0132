import { compared, type Series } from './figures.ts';
import { median } from './percentiles.ts';
import type { Goal } from './suite.ts';

/** How a figure of one thing is to compare with that of another. */
interface Target {
  what: string;
  most: number;
  one: Thing;
  other: Thing;
  metric: string;
  /** `×`: how often the one has the other in it; a unit: how much more it is. */
  unit: '×' | 'µs';
}

/** By the titles that series have. */
type Thing = Pick<Series, 'work' | 'subject'>;

/** Of the medians of what each round gives. */
export function goalOf(series: Series[], { what, most, one, other, metric, unit }: Target): Goal {
  const find = (thing: Thing) =>
    series.find(
      (some) => some.work === thing.work && some.subject === thing.subject && some.metric === metric,
    );
  const values = compared(find(one), find(other), (a, b) => (unit === '×' ? a / b : a - b));
  return { what, unit, most, measured: values && median(values) };
}

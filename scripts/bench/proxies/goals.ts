/** What the suite's figures are to reach. Pure. */
import { median } from '../percentiles.ts';
import type { Goal } from '../suite.ts';
import { compared, type Series } from './figures.ts';

/** How a figure of one thing is to compare with that of another. */
export interface Target extends Pick<Goal, 'what' | 'most'> {
  one: Thing;
  other: Thing;
  metric: string;
  /** `×`: how often the other's figure goes into the one's; another unit: how much more the one's is. */
  unit: string;
}

/** By the titles that series have; undefined is nothing that was measured. */
type Thing = { work: string; subject: string | undefined };

/** The median of what the rounds give. */
export function goalOf(series: Series[], { what, most, unit, ...target }: Target): Goal {
  const find = ({ work, subject }: Thing) =>
    series.find((some) => some.work === work && some.subject === subject && some.metric === target.metric);
  const compare = unit === '×' ? (a: number, b: number) => a / b : (a: number, b: number) => a - b;
  const values = compared(find(target.one), find(target.other), compare);
  return { what, unit, most, measured: values && median(values) };
}

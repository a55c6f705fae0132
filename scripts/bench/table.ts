/** Results as tables of Markdown. Pure. */
import type { Goal, Row } from './suite.ts';

/** A table for all works of which the same is known: a line for each subject of a work, a column for each metric. */
export function rowsTables(rows: Row[]): string[] {
  const works = Map.groupBy(rows, ({ work }) => work);
  const alike = Map.groupBy(works.values(), (ofWork) => columnsOf(ofWork).join());
  return [...alike.values()].map((groups) => rowsTable(groups.flat()));
}

function rowsTable(rows: Row[]): string {
  const columns = columnsOf(rows);
  const things = Map.groupBy(rows, ({ work, subject }) => `${work} | ${subject}`);
  const lines = [...things].map(([thing, measured]) => [
    thing,
    ...columns.map((column) => cellOf(measured.find((row) => columnOf(row) === column))),
  ]);
  return table(['work', 'subject', ...columns], lines);
}

export function goalsTable(goals: Goal[]): string {
  const lines = goals.map(({ what, unit, most, measured }) => [
    what,
    `≤ ${most.toLocaleString('en')} ${unit}`,
    measured === undefined ? 'not measured' : `${numeral(measured)} ${unit}`,
    measured === undefined ? '' : measured <= most ? 'met' : '**missed**',
  ]);
  return table(['what', 'goal', 'measured', ''], lines);
}

function columnsOf(rows: Row[]): string[] {
  return [...new Set(rows.map(columnOf))];
}

function columnOf({ metric, unit }: Row): string {
  return `${metric}, ${unit}`;
}

/** The median and, if they differ from it, the lowest and the highest round. */
function cellOf(row: Row | undefined): string {
  if (!row) return '';
  const median = numeral(row.value);
  const ends = (row.range ?? []).map(numeral);
  return ends.every((end) => end === median) ? median : `${median} (${ends.join('–')})`;
}

/** Three digits that count, but no more than two behind the point unless they say nothing. */
export function numeral(value: number): string {
  const size = Math.abs(value);
  const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function table(head: string[], lines: string[][]): string {
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Results as tables of Markdown. Pure. */
import type { Goal, Row } from './suite.ts';

/** A line for each subject of a work, a column for each metric. */
export function rowsTable(rows: Row[]): string {
  const metrics = [...new Set(rows.map(({ metric, unit }) => `${metric}, ${unit}`))];
  const things = Map.groupBy(rows, ({ work, subject }) => `${work} | ${subject}`);
  const lines = [...things].map(([thing, measured]) => {
    const cells = metrics.map((name) => {
      const row = measured.find(({ metric, unit }) => `${metric}, ${unit}` === name);
      return row ? cellOf(row) : '';
    });
    return [thing, ...cells];
  });
  return table(['work', 'subject', ...metrics], lines);
}

export function goalsTable(goals: Goal[]): string {
  const lines = goals.map(({ what, unit, most, measured }) => [
    what,
    `≤ ${figure(most)} ${unit}`,
    measured === undefined ? 'not measured' : `${figure(measured)} ${unit}`,
    measured === undefined ? '' : measured <= most ? 'met' : '**missed**',
  ]);
  return table(['goal', '', 'measured', ''], lines);
}

/** The median, and in parentheses the lowest and the highest round if they differ. */
function cellOf({ value, range }: Row): string {
  const [low, high] = (range ?? [value, value]).map(figure);
  return low === high ? figure(value) : `${figure(value)} (${low}–${high})`;
}

/** Three digits that count, and no more than two behind the point. */
export function figure(value: number): string {
  const digits = Math.max(0, Math.min(2, 2 - Math.floor(Math.log10(Math.abs(value) || 1))));
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function table(head: string[], lines: string[][]): string {
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

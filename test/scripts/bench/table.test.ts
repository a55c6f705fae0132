import test from 'ava';
import { goalsTable, numeral, rowsTables } from '../../../scripts/bench/table.ts';

test('works of which the same was measured share a table', (t) => {
  const cpu = { metric: 'CPU per request', unit: 'µs' };
  const p99 = { metric: 'p99 latency', unit: 'µs' };
  const tables = rowsTables([
    { work: 'GET', subject: 'a', ...cpu, value: 20, range: [19, 25] },
    { work: 'GET', subject: 'b', ...cpu, value: 30.04, range: [30.01, 30.04] },
    { work: 'half load', subject: 'a', ...p99, value: 150 },
    { work: 'POST', subject: 'a', ...cpu, value: 1740 },
    { work: 'POST', subject: 'b', metric: 'throughput', unit: 'requests/s', value: 3 },
  ]);
  t.deepEqual(tables, [
    `| work | subject | CPU per request, µs |
| --- | --- | --- |
| GET | a | 20.0 (19.0–25.0) |
| GET | b | 30.0 |`,
    `| work | subject | p99 latency, µs |
| --- | --- | --- |
| half load | a | 150 |`,
    `| work | subject | CPU per request, µs | throughput, requests/s |
| --- | --- | --- | --- |
| POST | a | 1,740 |  |
| POST | b |  | 3.00 |`,
  ]);
});

test('a goal is met up to its bound', (t) => {
  const goal = { what: 'w', unit: '×', most: 1.15 };
  const verdicts = [1.15, 1.16, undefined].map(
    (measured) => goalsTable([{ ...goal, measured }]).split('\n')[2],
  );
  t.deepEqual(verdicts, [
    '| w | ≤ 1.15 × | 1.15 × | met |',
    '| w | ≤ 1.15 × | 1.16 × | **missed** |',
    '| w | ≤ 1.15 × | not measured |  |',
  ]);
});

test('figures have the digits that count', (t) => {
  t.deepEqual([0, 0.0721, 0.95, 1.155, 20.66, 103.4, 31_891.7, -22_663].map(numeral), [
    '0',
    '0.072',
    '0.95',
    '1.16',
    '20.7',
    '103',
    '31,892',
    '-22,663',
  ]);
});

import test from 'ava';
import { compared, rowOf, seriesOf } from '../../../scripts/bench/proxies/figures.ts';
import { goalOf } from '../../../scripts/bench/proxies/goals.ts';

const thing = { work: 'small GET', subject: 'a' };

function cpu(value: number) {
  return { 'CPU per request': { value, unit: 'µs' } };
}

test('a row is the median of the rounds, with the lowest and the highest', (t) => {
  const [series] = seriesOf(thing, [cpu(20), cpu(90), cpu(21)]);
  t.deepEqual(series && rowOf(series), {
    ...thing,
    metric: 'CPU per request',
    unit: 'µs',
    value: 21,
    range: [20, 90],
  });
});

test('each metric of the samples is a series of its own', (t) => {
  const sample = { ...cpu(20), throughput: { value: 3, unit: 'requests/s' } };
  t.deepEqual(
    seriesOf(thing, [sample, sample]).map(({ metric, unit, values }) => [metric, unit, values]),
    [
      ['CPU per request', 'µs', [20, 20]],
      ['throughput', 'requests/s', [3, 3]],
    ],
  );
});

test('what is compared was measured in the same round', (t) => {
  // The machine was slower by half in the second round: for both.
  const [one] = seriesOf(thing, [cpu(20), cpu(40), cpu(20)]);
  const [other] = seriesOf({ ...thing, subject: 'b' }, [cpu(10), cpu(20), cpu(10)]);
  t.deepEqual(
    compared(one, other, (a, b) => a / b),
    [2, 2, 2],
  );
  t.is(
    compared(one, undefined, (a, b) => a / b),
    undefined,
  );
});

test('a goal is a ratio or a difference, and open if one of the two was not measured', (t) => {
  const series = [
    ...seriesOf(thing, [cpu(24), cpu(26), cpu(22)]),
    ...seriesOf({ ...thing, subject: 'b' }, [cpu(20), cpu(20), cpu(20)]),
  ];
  const target = {
    what: 'a against b',
    most: 1.15,
    unit: '×',
    metric: 'CPU per request',
    one: thing,
    other: { ...thing, subject: 'b' },
  };
  t.deepEqual(goalOf(series, target), { what: 'a against b', unit: '×', most: 1.15, measured: 1.2 });
  t.is(goalOf(series, { ...target, unit: 'µs' }).measured, 4);
  t.is(goalOf(series, { ...target, other: { ...thing, subject: 'c' } }).measured, undefined);
  t.is(goalOf(series, { ...target, other: { ...thing, subject: undefined } }).measured, undefined);
});

import test from 'ava';
import { median, percentile } from '../../../scripts/bench/percentiles.ts';

test('a percentile is one of the values: as many as it says are not above it', (t) => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  t.is(percentile(hundred, 0.99), 99);
  t.is(percentile(hundred, 0.5), 50);
  t.is(percentile(hundred, 1), 100);
  t.is(percentile([7], 0.01), 7);
  t.is(percentile([], 0.5), Number.NaN);
});

test('the median stands in the middle, whatever the order', (t) => {
  t.is(median([9, 1, 5]), 5);
  t.is(median([4, 1, 3, 2]), 2.5);
  t.is(median([10, 9]), 9.5);
  t.is(median([]), Number.NaN);
});

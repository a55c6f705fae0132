import test from 'ava';
import { type Allowance, assertAllowed, isQuantity, matches } from '../../daemon/allowance.ts';
import { ApiError } from '../../daemon/errors.ts';

const allowance: Allowance = { images: ['my-app:*', 'team/**'], maxCpu: '1500m', maxMemory: '1Gi' };
const ask = (limits: Record<string, string>, requests: Record<string, string> = {}) => ({
  resources: { limits, requests },
});

test('a star stops at a slash, two do not', (t) => {
  t.true(matches('my-app:*', 'my-app:1.0'));
  t.true(matches('team/**', 'team/a/b@sha256:0'));
  t.true(matches('exact:1', 'exact:1'));
  t.false(matches('my-app*', 'my-app.evil.example/x'));
  t.false(matches('exact:1', 'exact:10'));
  t.false(matches('a.b', 'axb'));
});

test('what the operator allows passes, the rest is a 403 that says why', (t) => {
  t.notThrows(() => assertAllowed({}, undefined));
  t.notThrows(() => assertAllowed({ image: 'my-app:2' }, allowance));
  t.notThrows(() => assertAllowed(ask({ cpu: '1.5', memory: '1024Mi' }, { cpu: '100m' }), allowance));
  const refused: [Parameters<typeof assertAllowed>, RegExp][] = [
    [[{ image: 'my-app:2' }, undefined], /processes/],
    [[ask({ cpu: '1' }), undefined], /processes/],
    [[{ image: 'other:2' }, allowance], /other:2 .*--allow-image/],
    [[ask({ cpu: '1501m' }), allowance], /cpu 1501m is more than 1500m \(--max-cpu\)/],
    [[ask({}, { memory: '1025Mi' }), allowance], /memory 1025Mi is more than 1Gi \(--max-memory\)/],
    [[ask({ memory: '1' }), { ...allowance, maxMemory: undefined }], /--max-memory is not set/],
  ];
  for (const [args, message] of refused) {
    const error = t.throws(() => assertAllowed(...args), { instanceOf: ApiError, message });
    t.is(error.status, 403);
  }
});

test('quantities', (t) => {
  for (const right of ['1', '0.5', '500m', '2Gi', '512Mi', '1k', '3M']) t.true(isQuantity(right), right);
  for (const wrong of ['0', '-1', '1e3', '1 Gi', 'm', '2gi', '']) t.false(isQuantity(wrong), wrong);
});

import test from 'ava';
import { lastPart } from '../../../../daemon/runtime/kubernetes/pod-log.ts';

test('of much text the end is shown', (t) => {
  const lines = lastPart(`${'a'.repeat(9_000)}\nthe end\n`);
  t.is(lines.at(-1), 'the end');
  t.is(lines.join('\n').length, 8 * 1024);
});

test('a letter that is cut in two is left out', (t) => {
  const [line] = lastPart(`x${'é'.repeat(4_096)}y`);
  t.is(line, `${'é'.repeat(4_095)}y`);
});

test('nothing written is no line', (t) => {
  t.deepEqual(lastPart('\n'), []);
});

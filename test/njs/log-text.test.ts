import test from 'ava';
import { withShortIds } from '../../njs/log-text.ts';

const A = 'abcdefghijklmnopqrstuvwxyz';

test('ids are cut wherever they stand', (t) => {
  t.is(withShortIds(`/p/${A}/x and ${A}`), '/p/abcd…/x and abcd…');
  t.is(withShortIds(`"${A}",http://${A}.apps.test`), '"abcd…",http://abcd….apps.test');
});

test('request ids and what is shorter stay', (t) => {
  const text = `${'0123456789abcdef'.repeat(2)} ${A.slice(1)} ${A.toUpperCase()}`;
  t.is(withShortIds(text), text);
});

test('a text stays on its line', (t) => {
  t.is(withShortIds('a\nb\r\tc\u2028d'), 'a?b??c?d');
});

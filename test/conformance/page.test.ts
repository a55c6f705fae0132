import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { pageWithout } from '../../scripts/conformance-page.ts';
import { root } from '../../scripts/nginx.ts';
import { ALL_STACKS } from '../support/router.ts';
import { expectedOf, MODES } from './row.ts';
import { TABLE } from './table.ts';

test('docs/conformance.md says what the table says: if not, `npm run conformance` writes it', (t) => {
  const page = readFileSync(join(root, 'docs/conformance.md'), 'utf8');
  t.is(page, pageWithout(TABLE, page));
  t.true(page.includes('\nNothing failed.\n'), 'the last run that was written down has failed');
});

test('every row has a name of its own and a meaning somewhere', (t) => {
  t.is(new Set(TABLE.map(({ id }) => id)).size, TABLE.length);
  for (const row of TABLE) {
    const meant = MODES.some((mode) =>
      ALL_STACKS.some((stack) => expectedOf(row, mode, stack) !== undefined),
    );
    t.true(meant, row.id);
  }
});

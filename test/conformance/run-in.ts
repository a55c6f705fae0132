import test from 'ava';
import pLimit from 'p-limit';
import type { Mode } from '../../daemon/public-url.ts';
import { STACKS } from '../support/router.ts';
import { expectedOf } from './row.ts';
import { runRow } from './run.ts';
import { TABLE } from './table.ts';
import { startWorld, type World } from './world.ts';

/** Rows at the same time: more would only wait for each other. */
const SIDE_BY_SIDE = 16;

/** The table in one mode as tests, on each nginx line and engine. */
export function testTable(mode: Mode): void {
  const limit = pLimit(SIDE_BY_SIDE);
  for (const stack of STACKS) {
    const world: Promise<World> = startWorld(mode, stack);
    test.after.always(async () => (await world).stop());
    for (const row of TABLE) {
      if (expectedOf(row, mode, stack) === undefined) continue;
      test(`${row.group}: ${row.says} (${row.id}) [${mode}, nginx ${stack.line}, ${stack.engine ?? 'njs'}]`, async (t) => {
        const { seen, expected } = await limit(async () => runRow(row, await world));
        t.is(seen, expected);
      });
    }
  }
}

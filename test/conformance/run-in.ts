import test from 'ava';
import pLimit from 'p-limit';
import type { Mode } from '../../daemon/public-url.ts';
import { STACKS } from '../support/router.ts';
import { fuzz } from './fuzz.ts';
import { expectedOf } from './row.ts';
import { runRow, SIDE_BY_SIDE } from './run.ts';
import { TABLE } from './table.ts';
import { startWorld, type World } from './world.ts';

const FUZZED = 1500;

/** The table in one mode as tests, on each nginx line. `npm run conformance` has the other engine, too. */
export function testTable(mode: Mode): void {
  const limit = pLimit(SIDE_BY_SIDE);
  for (const stack of STACKS) {
    const where = `[${mode}, nginx ${stack.line}]`;
    const world: Promise<World> = startWorld(mode, stack);
    test.after.always(async () => (await world).stop());
    for (const row of TABLE) {
      if (expectedOf(row, mode, stack) === undefined) continue;
      test(`${row.group}: ${row.says} (${row.id}) ${where}`, async (t) => {
        const { seen, expected } = await limit(async () => runRow(row, await world));
        t.is(seen, expected);
      });
    }
    test(`no bytes that a client can send reach any session but the one they name ${where}`, async (t) => {
      const { requests, served } = await limit(async () => fuzz(await world, FUZZED));
      t.true(served > requests / 10, `only ${served} of ${requests} were served: the test tests too little`);
    });
  }
}

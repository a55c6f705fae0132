/**
 * `npm run conformance [-- --fuzz N]`: runs the whole conformance table, and N generated requests in each mode on
 * each nginx, and writes docs/conformance.md. Exits 1 if a row is not as it should be.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import pLimit from 'p-limit';
import { fuzz } from '../test/conformance/fuzz.ts';
import { expectedOf, MODES } from '../test/conformance/row.ts';
import { runRow, SIDE_BY_SIDE } from '../test/conformance/run.ts';
import { TABLE } from '../test/conformance/table.ts';
import { startWorld, type World } from '../test/conformance/world.ts';
import { ALL_STACKS } from '../test/support/router.ts';
import { pageOf, type Run } from './conformance-page.ts';
import { nginxFor, root } from './nginx.ts';

const { fuzz: requests } = new Command('npm run conformance --')
  .option('--fuzz <count>', 'generated requests in each mode on each nginx', count, 1500)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ fuzz: number }>();

const runs: Run[] = [];
for (const mode of MODES) {
  for (const stack of ALL_STACKS) {
    const world = await startWorld(mode, stack);
    try {
      runs.push(await runAll(world));
    } finally {
      await world.stop();
    }
  }
}
await writeFile(join(root, 'docs/conformance.md'), pageOf(TABLE, runs));
if (runs.some(({ failed }) => failed.length > 0)) process.exitCode = 1;

async function runAll(world: World): Promise<Run> {
  const { mode, stack } = world;
  const limit = pLimit(SIDE_BY_SIDE);
  const rows = TABLE.filter((row) => expectedOf(row, mode, stack) !== undefined);
  const results = await Promise.all(rows.map((row) => limit(() => runRow(row, world))));
  const failed = results.filter(({ seen, expected }) => seen !== expected);
  const fuzzed = await fuzz(world, requests);
  const nginx = nginxFor(stack.line).version;
  for (const { row, seen, expected } of failed) {
    console.error(`${row.id}: ${JSON.stringify(seen)} instead of ${JSON.stringify(expected)}`);
  }
  const passed = results.length - failed.length;
  console.error(
    `${mode}, nginx ${nginx}, ${stack.engine ?? 'njs'}: ${passed} of ${results.length} rows; ` +
      `${fuzzed.requests} generated requests, ${fuzzed.served} served`,
  );
  return { mode, stack, nginx, passed, failed, fuzzed };
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Write a whole number from 1 on.');
  return Number(text);
}

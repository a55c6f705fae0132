/** `npm run bench`: measures the router, other proxies, and the daemon, on this machine and on loopback. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { catchInterrupts } from '../interrupts.ts';
import { proxies, SUBJECT_NAMES, WORK_NAMES } from './proxies/suite.ts';
import type { Result, Suite } from './suite.ts';
import { goalsTable, rowsTable } from './table.ts';

interface Options {
  quick: boolean;
  rounds: number;
  work?: string[];
  subject?: string[];
}

const command = new Command('npm run bench --')
  .argument('[suite...]', 'which to run: proxies')
  .option('--quick', 'a taste of everything, for no figures to rely on', false)
  .option('--rounds <count>', 'how often each thing is measured, in turn with the others', count, 5)
  .option('--work <names>', 'of the suite proxies: only these, with commas between them', names(WORK_NAMES))
  .option(
    '--subject <names>',
    'of the suite proxies: only these, with commas between them',
    names(SUBJECT_NAMES),
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();
const options = command.opts<Options>();
const suites: Suite[] = [proxies(options.work, options.subject)];
const wanted = suites.filter(({ name }) => command.args.length === 0 || command.args.includes(name));

const interrupts = catchInterrupts();
const scratch = await mkdtemp(join(tmpdir(), 'spawner-bench-'));
try {
  const results: Result[] = [];
  for (const suite of wanted) {
    const result = await suite.run({
      say: (line) => console.error(`${suite.name}: ${line}`),
      quick: options.quick,
      rounds: options.quick ? 1 : options.rounds,
      scratch,
      abort: interrupts.first,
    });
    console.log(`\n${rowsTable(result.rows)}`);
    results.push(result);
  }
  console.log(`\n${goalsTable(results.flatMap(({ goals }) => goals))}`);
} catch (error) {
  if (interrupts.first.aborted) process.exitCode = 130;
  else {
    console.error(`bench: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}

function count(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError('Write a whole number from 1 to 99.');
  return Number(text);
}

function names(known: string[]): (text: string) => string[] {
  return (text) => {
    const given = text.split(',');
    const unknown = given.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new InvalidArgumentError(`There is no ${unknown}; there are ${known.join(', ')}.`);
    }
    return given;
  };
}

/** `npm run bench`: measures the router, other proxies and the daemon, on this machine and on loopback. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { catchInterrupts } from '../interrupts.ts';
import { root } from '../nginx.ts';
import { suite as daemon } from './daemon.ts';
import { thisMachine, versionsHere } from './machine.ts';
import { pageOf } from './page.ts';
import { proxies, SUBJECT_NAMES, WORK_NAMES } from './proxies/suite.ts';
import { plotOfReport, type Report, textOf } from './report.ts';
import { suite as routes } from './routes.ts';
import { suite as sockets } from './sockets.ts';
import type { Suite } from './suite.ts';

interface Options {
  quick: boolean;
  rounds: number;
  work?: string[];
  subject?: string[];
  json?: string;
  plot?: string;
  docs: boolean;
}

const PLOT = 'images/bench.svg';
const others = [routes, daemon, sockets];
const suiteNames = [proxies(), ...others].map(({ name }) => name);
const ofProxies = 'of the suite proxies: only these, with commas between them';

const command = new Command('npm run bench --')
  .addArgument(new Argument('[suite...]', 'what to measure; all if none is named').choices(suiteNames))
  .addHelpText(
    'after',
    `\n${[proxies(), ...others].map(({ name, about }) => `${name}: ${about}`).join('\n')}`,
  )
  .option('--quick', 'a taste of everything in a minute; its figures mean nothing', false)
  .option('--rounds <count>', 'how often each thing is measured, in turn with the others', count, 5)
  .option('--work <names>', `${ofProxies} (${WORK_NAMES.join(', ')})`, namesAmong(WORK_NAMES))
  .option('--subject <names>', `${ofProxies} (${SUBJECT_NAMES.join(', ')})`, namesAmong(SUBJECT_NAMES))
  .option('--json <file>', 'write all figures there')
  .option('--plot <file>', 'draw there, as SVG, what a small GET costs each proxy')
  .option('--docs', `write docs/bench.md and docs/${PLOT}`, false)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse();
const options = command.opts<Options>();

const interrupts = catchInterrupts();
const scratch = await mkdtemp(join(tmpdir(), 'spawner-bench-'));
try {
  const report = await measure([proxies(options.work, options.subject), ...others]);
  console.log(textOf(report));
  await write(report);
} catch (error) {
  if (interrupts.first.aborted) process.exitCode = 130;
  else {
    console.error(`bench: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function measure(suites: Suite[]): Promise<Report> {
  const rounds = options.quick ? 1 : options.rounds;
  const report: Report = {
    command: commandLine(),
    rounds,
    machine: thisMachine(),
    versions: versionsHere(),
    suites: [],
  };
  for (const { name, about, run } of suites) {
    if (command.args.length > 0 && !command.args.includes(name)) continue;
    const say = (line: string) => console.error(`${name}: ${line}`);
    const context = { say, quick: options.quick, rounds, scratch, abort: interrupts.first };
    report.suites.push({ name, about, ...(await run(context)) });
  }
  return report;
}

/** What makes the same figures; where they are written besides is the user's own affair. */
function commandLine(): string {
  const { json, plot } = options;
  const files = [json && ['--json', json], plot && ['--plot', plot]].flatMap((pair) => pair || []);
  const flags = process.argv.slice(2).filter((argument) => !files.includes(argument));
  return ['npm run bench', ...(flags.length > 0 ? ['--', ...flags] : [])].join(' ');
}

async function write(report: Report): Promise<void> {
  const plot = plotOfReport(report);
  // npm runs this in the project's folder; what the user names is relative to the user's.
  const named = (path: string) => resolve(process.env.INIT_CWD ?? '.', path);
  if (options.json) await writeFile(named(options.json), `${JSON.stringify(report, undefined, 2)}\n`);
  if (options.plot && plot) await writeFile(named(options.plot), plot);
  if (!options.docs) return;
  if (plot) await writeFile(join(root, 'docs', PLOT), plot);
  await writeFile(join(root, 'docs', 'bench.md'), pageOf(report, plot && PLOT));
}

function count(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError('Write a whole number from 1 to 99.');
  return Number(text);
}

function namesAmong(known: string[]): (text: string) => string[] {
  return (text) => {
    const names = text.split(',');
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined) throw new InvalidArgumentError(`There is no ${unknown}.`);
    return names;
  };
}

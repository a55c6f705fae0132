/** `npm start`: a router, the daemon and an app on this machine, until Ctrl-C. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { CommanderError } from 'commander';
import { type Config, parseConfig } from '../daemon/config.ts';
import { ConfigError } from '../daemon/errors.ts';
import { publicUrlText } from '../daemon/public-url.ts';
import { catchInterrupts, type Interrupts } from './interrupts.ts';
import { nginxFor } from './nginx.ts';
import { describePool } from './pool.ts';
import { flagOf, SettingError } from './router-settings.ts';
import { makeScratch, stateDirOf } from './scratch.ts';
import { aborted, assertFree, overlap, untilReady } from './start-checks.ts';
import { parseStart, reachable } from './start-options.ts';
import {
  adminAddress,
  daemonProgram,
  endLeftSessions,
  lastComplaint,
  nginxProgram,
  sessionsOf,
  writeRouter,
} from './start-programs.ts';
import { ExplainedError, supervise } from './supervise.ts';

async function main(argv: string[]): Promise<void> {
  // npm runs scripts in the project's folder; what the user names is relative to the user's.
  process.chdir(process.env.INIT_CWD ?? '.');
  const interrupts = catchInterrupts();
  const scratch = await makeScratch(tmpdir());
  try {
    const options = parseStart(argv, { router: adminAddress(scratch), stateDir: stateDirOf(scratch) });
    const config = parseConfig(options.daemonFlags);
    if (overlap(options.publicListen, config.listen)) {
      throw new ConfigError(`--public-listen and --listen both name port ${config.listen.port}: choose two`);
    }
    await assertFree('--public-listen', options.publicListen);
    await assertFree('--listen', config.listen);
    await writeRouter(scratch, options, sessionsOf(config), apiUrlOf(config));
    await run(config, options.daemonFlags, scratch, interrupts);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Runs nginx and the daemon until an interrupt, or until one of them is lost; leaves neither behind. */
async function run(config: Config, flags: string[], scratch: string, interrupts: Interrupts): Promise<void> {
  const nginx = supervise(nginxProgram(scratch), say);
  const daemon = supervise(daemonProgram(flags), say);
  const lost = Promise.race([
    daemon.lost,
    nginx.lost.catch((error: Error) => {
      throw new Error(`${error.message}${lastComplaint(scratch)}`);
    }),
  ]);
  const ending = new AbortController();
  let wasReady = false;
  try {
    const waiting = AbortSignal.any([interrupts.first, ending.signal]);
    const ready = untilReady(apiUrlOf(config), waiting).then(() => {
      wasReady = true;
      nginx.mend();
      daemon.mend();
      announce(config);
      return lost;
    });
    await Promise.race([aborted(interrupts.first), lost, ready]);
  } finally {
    ending.abort();
    interrupts.onRepeat(daemon.hurry);
    await daemon.stop('SIGINT', config.endPatienceMs + 2_000);
    // Until it was ready, the folder may have been another daemon's.
    if (wasReady && config.runtime.kind === 'process') await endLeftSessions(config.runtime.stateDir);
    await nginx.stop('SIGTERM', 5_000);
  }
}

function announce(config: Config): void {
  const token = config.apiToken === undefined ? '' : " -H 'Authorization: Bearer <api token>'";
  console.log(`
  Spawner runs; Ctrl-C ends everything.

  public URL  ${publicUrlText(config.publicUrl)}
  API         ${apiUrlOf(config)}
  router      ${describePool({ ...sessionsOf(config), nginxVersion: nginxFor().version })}
  try         curl -X POST${token} ${apiUrlOf(config)}/init
`);
}

function apiUrlOf(config: Config): string {
  return `http://${reachable(config.listen)}`;
}

function say(line: string): void {
  console.error(`spawner: ${line}`);
}

/** Says what went wrong in one line, and returns the exit code. */
function complain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode;
  if (error instanceof SettingError) say(error.message.replace(error.setting, flagOf(error.setting)));
  else if (!(error instanceof ExplainedError)) say(error instanceof Error ? error.message : String(error));
  return error instanceof ConfigError || error instanceof SettingError ? 2 : 1;
}

process.exitCode = await main(process.argv.slice(2)).then(() => 0, complain);

/** `npm run router`: writes the router's three files for an nginx that an operator already runs. */
import { chmod } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { buildBundle } from './build.ts';
import { type Files, ROUTER_DEFAULTS, renderRouter, SettingError, writeFiles } from './render.ts';

interface Flags {
  out: string;
  adminListen: string;
  adminToken: string;
  routesZoneSize: string;
  activityZoneSize?: string;
  holdSeconds: number;
  holdMax: number;
  holdMaxPerSession: number;
}

const d = ROUTER_DEFAULTS;
const command = new Command('npm run router --')
  .description('Writes spawner.js, spawner-http.conf and spawner-server.conf, to include in your nginx.')
  .requiredOption('--out <folder>', 'where the files go; nginx reads them there')
  .option('--admin-listen <address>', 'the admin API: unix:/path or ip:port', d.adminListen)
  .addOption(
    new Option('--admin-token <token>', 'bearer token for the admin API; a must with ip:port')
      .env('SPAWNER_ROUTER_TOKEN')
      .default('', 'none'),
  )
  .option('--routes-zone-size <size>', 'memory for routes, see docs/capacity.md', d.routesZoneSize)
  .option('--activity-zone-size <size>', 'memory for counts (default: as --routes-zone-size)')
  .option('--hold-seconds <seconds>', 'how long a request waits for its session', count, d.holdSeconds)
  .option('--hold-max <count>', 'requests that wait at most, per worker', count, d.holdMax)
  .option('--hold-max-per-session <count>', 'of them for one session', count, d.holdMaxPerSession)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

const { out, ...flags } = command.parse().opts<Flags>();
// npm runs its scripts in the project's folder; INIT_CWD is where the user is.
const directory = resolve(process.env.INIT_CWD ?? '.', out);
const jsPath = join(directory, 'spawner.js');
const files = render();
if (flags.adminToken === '' && !flags.adminListen.startsWith('unix:')) {
  fail('--admin-token is missing: over TCP the admin API serves nobody without one');
}
try {
  await writeFiles(directory, files, flags.adminToken === '' ? 0o644 : 0o600);
} catch (error) {
  fail(`--out: nothing can be written to ${directory} (${(error as NodeJS.ErrnoException).code})`);
}
await buildBundle(jsPath);
await chmod(jsPath, 0o644);
process.stdout.write(
  `${directory}: include spawner-http.conf at http level, spawner-server.conf in a server\n`,
);

function render(): Files {
  try {
    const activityZoneSize = flags.activityZoneSize ?? flags.routesZoneSize;
    return renderRouter({ ...flags, activityZoneSize, jsPath });
  } catch (error) {
    if (error instanceof SettingError) fail(error.message.replace(error.setting, flagOf));
    throw error;
  }
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new InvalidArgumentError('Write a whole number from 1 on.');
  }
  return Number(text);
}

function flagOf(setting: string): string {
  if (setting === 'jsPath') return '--out';
  return `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function fail(message: string): never {
  process.stderr.write(`router: ${message}\n`);
  process.exit(2);
}

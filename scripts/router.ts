/** `npm run router`: writes the router's three files for an nginx that an operator already runs. */
import { chmod } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { modeOf, type PublicUrl, parsePublicUrl } from '../daemon/public-url.ts';
import { buildBundle } from './build.ts';
import { describePool } from './pool.ts';
import { type Files, renderRouter, writeFiles } from './render.ts';
import { flagOf, hotBundleOf, placeOf, ROUTER_DEFAULTS, SettingError } from './router-settings.ts';

interface Flags {
  out: string;
  publicUrl: string;
  keepPrefix: boolean;
  backend?: string[];
  trustedProxy?: string[];
  allowOrigin?: string[];
  nginxVersion: string;
  connectionsPerSession: number;
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
  .description(
    'Writes spawner.js, spawner-hot.js, spawner-http.conf and spawner-server.conf, to include in your nginx.',
  )
  .requiredOption('--out <folder>', 'where the files go; nginx reads them there')
  .option(
    '--public-url <url>',
    "as the daemon's: https://my-domain.com for sessions at /p/<id>/, https://{id}.my-domain.com for a host each",
    'http://127.0.0.1:8000',
  )
  .option('--keep-prefix', "as the daemon's: apps are asked for /p/<id>/…, not for what follows it", false)
  .option(
    '--backend <range>',
    `where routes may lead: cidr, cidr:port or cidr:first-last; repeat for more (default: ${d.backends})`,
    list,
  )
  .option('--trusted-proxy <cidr>', 'proxy in front whose X-Forwarded-… are believed; repeat for more', list)
  .option(
    '--allow-origin <origin>',
    'refuse WebSockets of other pages than those of this origin and of sessions themselves; self: of sessions only; repeat for more',
    list,
  )
  .option(
    '--connections-per-session <count>',
    'requests and WebSockets it may have open',
    count,
    d.connectionsPerSession,
  )
  .option('--nginx-version <version>', 'of your nginx; newer ones pass on more', d.nginxVersion)
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

const { out, publicUrl, keepPrefix, backend, trustedProxy, allowOrigin, ...flags } = command
  .parse()
  .opts<Flags>();
const place = parsePlace();
// npm runs its scripts in the project's folder; INIT_CWD is where the user is.
const directory = resolve(process.env.INIT_CWD ?? '.', out);
const jsPath = join(directory, 'spawner.js');
const backends = backend ?? d.backends;
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
for (const bundle of [jsPath, hotBundleOf(jsPath)]) await chmod(bundle, 0o644);
process.stdout.write(
  `${directory}: include spawner-http.conf at http level, spawner-server.conf in a server
the router ${describePool({ nginxVersion: flags.nginxVersion, backends })}\n`,
);

function parsePlace(): PublicUrl {
  const parsed = parsePublicUrl(publicUrl);
  if (typeof parsed === 'string') fail(`--public-url ${publicUrl}: ${parsed}`);
  if (keepPrefix && parsed.form === 'host') {
    fail('--keep-prefix has no effect where each session has a host of its own: there is no prefix');
  }
  return parsed;
}

function render(): Files {
  try {
    const activityZoneSize = flags.activityZoneSize ?? flags.routesZoneSize;
    return renderRouter({
      ...flags,
      activityZoneSize,
      jsPath,
      ...placeOf(place, modeOf(place, keepPrefix)),
      backends,
      trustedProxies: trustedProxy ?? [],
      allowedOrigins: allowOrigin ?? [],
    });
  } catch (error) {
    if (error instanceof SettingError) fail(error.message.replace(error.setting, flagOf(error.setting)));
    throw error;
  }
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new InvalidArgumentError('Write a whole number from 1 on.');
  }
  return Number(text);
}

function list(text: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), text];
}

function fail(message: string): never {
  process.stderr.write(`router: ${message}\n`);
  process.exit(2);
}

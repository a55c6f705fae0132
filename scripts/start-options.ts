import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { parseListen } from '../daemon/config.ts';
import { ConfigError } from '../daemon/errors.ts';
import { count, daemonOptions, flag, list, listenAddress } from '../daemon/options.ts';

/** What one `npm start` is asked to run. */
export interface StartOptions {
  /** Where browsers reach the router. */
  publicListen: { host: string; port: number };
  /** As nginx writes sizes: `512k`, `8m`. */
  routesZoneSize: string;
  /** Worker processes of nginx: a count, or `auto` for one per core. */
  routerWorkers: number | 'auto';
  /** PEM files, absolute, with which browsers speak HTTPS to the router. */
  tls: { certificate: string; key: string } | undefined;
  connectionsPerSession: number;
  trustedProxies: string[];
  allowedOrigins: string[];
  daemonFlags: string[];
}

interface OwnFlags
  extends Record<'publicListen' | 'routesZoneSize' | 'routerWorkers' | 'connectionsPerSession', string> {
  tlsCertificate?: string;
  tlsKey?: string;
  trustedProxy?: string[];
  allowOrigin?: string[];
}

interface Place {
  router: string;
  stateDir: string;
}

const exampleApp = join(import.meta.dirname, '..', 'examples', 'app', 'main.ts');

/**
 * Reads the flags of `npm start`: its own, and the daemon's but for those that name routers, as it runs one:
 * `router`. `stateDir` is for the daemon unless the user names another.
 * `--help` and wrong flags print what there is to say and throw a CommanderError with the exit code.
 */
export function parseStart(argv: string[], { router, stateDir }: Place): StartOptions {
  const command = startCommand().parse(argv, { from: 'user' });
  const flags = command.opts<OwnFlags>();
  const publicListen = parseListen(flags.publicListen);
  const source = (name: string) => command.getOptionValueSource(name);
  const unset = (name: string) => !['cli', 'env'].includes(source(name) ?? 'default');
  // What the environment sets, the daemon reads there itself.
  const given = daemonOptions()
    .filter((option) => source(option.attributeName()) === 'cli')
    .map((option) => `${option.long}=${command.getOptionValue(option.attributeName())}`);
  const tls = parseTls(flags);
  const isProcess = unset('applicationImage');
  const app = execs(process.execPath, exampleApp);
  return {
    publicListen,
    routesZoneSize: flags.routesZoneSize,
    routerWorkers: flags.routerWorkers === 'auto' ? 'auto' : Number(flags.routerWorkers),
    tls,
    connectionsPerSession: Number(flags.connectionsPerSession),
    trustedProxies: flags.trustedProxy ?? [],
    allowedOrigins: flags.allowOrigin ?? [],
    daemonFlags: [
      `--router=${router}`,
      ...given,
      ...(isProcess && unset('applicationCommand') ? [`--application-command=${app}`] : []),
      ...(unset('publicUrl') ? [`--public-url=${tls ? 'https' : 'http'}://${reachable(publicListen)}`] : []),
      ...(isProcess && unset('stateDir') ? [`--state-dir=${stateDir}`] : []),
    ],
  };
}

/** `host:port` to use on this machine for what listens at an address, which may be every address. */
export function reachable({ host, port }: { host: string; port: number }): string {
  const everywhere: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const name = everywhere[host] ?? host;
  return `${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function startCommand(): Command {
  const command = new Command('npm start --')
    .description('Runs a router, the daemon and an app on this machine until Ctrl-C.')
    .exitOverride((error) => {
      throw new CommanderError(error.exitCode === 0 ? 0 : 2, error.code, error.message);
    })
    .addOption(
      flag('--public-listen <address:port>', 'where browsers reach the router', '127.0.0.1:8000').argParser(
        nginxListen,
      ),
    )
    .addOption(
      flag('--routes-zone-size <size>', 'memory for routes, see docs/capacity.md', '8m').argParser(zoneSize),
    )
    .addOption(flag('--router-workers <count>', 'worker processes of nginx', 'auto').argParser(workers))
    .addOption(
      flag('--tls-certificate <file>', 'PEM file with which browsers speak HTTPS and HTTP/2 to the router'),
    )
    .addOption(flag('--tls-key <file>', 'its key, a PEM file'))
    .addOption(
      flag(
        '--connections-per-session <count>',
        'requests and WebSockets that a session may have open',
        '1000',
      ).argParser(count),
    )
    .addOption(
      flag(
        '--trusted-proxy <cidr>',
        'proxy in front whose X-Forwarded-For, -Proto and -Host are believed; repeat for more',
      ).argParser(list),
    )
    .addOption(
      flag(
        '--allow-origin <origin>',
        'refuse WebSockets of pages of other origins than this and a session itself; self: than itself only; repeat for more',
      ).argParser(list),
    );
  const later: Record<string, string> = {
    applicationCommand: 'the example app',
    publicUrl: 'http:// and --public-listen',
    stateDir: 'a folder that ends with this run',
  };
  for (const option of daemonOptions()) {
    const name = option.attributeName();
    if (name === 'router' || name === 'routerToken') continue;
    if (name === 'listen') option.argParser(fixedPort);
    // The router's own address decides.
    if (name === 'publicUrl') option.default(undefined);
    if (name in later)
      option.description = `${option.description.replace(/ \(default:.*/, '')} (default: ${later[name]})`;
    command.addOption(option);
  }
  return command;
}

/** Both files or none, and as nginx will find them. */
function parseTls({ tlsCertificate, tlsKey }: OwnFlags): StartOptions['tls'] {
  if (tlsCertificate === undefined && tlsKey === undefined) return undefined;
  if (tlsCertificate === undefined || tlsKey === undefined)
    throw new ConfigError('--tls-certificate and --tls-key belong together: set both');
  for (const [name, file] of [
    ['--tls-certificate', tlsCertificate],
    ['--tls-key', tlsKey],
  ] as const) {
    if (!isReadable(file))
      throw new ConfigError(`${name} ${file}: there is no such file, or it may not be read`);
  }
  checkPair(tlsCertificate, tlsKey);
  return { certificate: resolve(tlsCertificate), key: resolve(tlsKey) };
}

function checkPair(certificate: string, key: string): void {
  const parse = <T>(name: string, file: string, read: (text: Buffer) => T): T => {
    try {
      return read(readFileSync(file));
    } catch {
      throw new ConfigError(`${name} ${file}: it is no PEM file of that`);
    }
  };
  const itsCertificate = parse('--tls-certificate', certificate, (text) => new X509Certificate(text));
  const itsKey = parse('--tls-key', key, createPrivateKey);
  if (!itsCertificate.checkPrivateKey(itsKey))
    throw new ConfigError(`--tls-key ${key} is not the key of --tls-certificate ${certificate}`);
}

function isReadable(file: string): boolean {
  try {
    return readFileSync(file).length > 0;
  } catch {
    return false;
  }
}

/** A shell command that becomes this program; its words may hold anything. */
function execs(...words: string[]): string {
  return ['exec', ...words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`)].join(' ');
}

function fixedPort(text: string): string {
  if (parseListen(listenAddress(text)).port === 0) throw new InvalidArgumentError('Write a port from 1 on.');
  return text;
}

/** As fixedPort, but with no names, which nginx would look up, and its own example. */
function nginxListen(text: string): string {
  const { host, port } = parseListen(text);
  if (isIP(host) !== 0 && Number.isInteger(port) && port >= 1 && port <= 65_535) return text;
  throw new InvalidArgumentError('Write an IP address and a port from 1 on, such as 127.0.0.1:8000.');
}

function zoneSize(text: string): string {
  const size = /^(\d{1,6})([km])$/i.exec(text);
  const kilobytes = Number(size?.[1]) * (size?.[2]?.toLowerCase() === 'm' ? 1024 : 1);
  if (!(kilobytes >= 64)) throw new InvalidArgumentError('Write a size of 64k or more, such as 512k or 8m.');
  return text;
}

function workers(text: string): string {
  if (!/^(auto|[1-9]\d{0,2})$/.test(text))
    throw new InvalidArgumentError('Write auto or a number from 1 on.');
  return text;
}

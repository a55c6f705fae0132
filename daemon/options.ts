import { isIP } from 'node:net';
import { InvalidArgumentError, Option } from 'commander';
import { isQuantity } from './allowance.ts';
import { parseDurationMs } from './duration.ts';
import { ConfigError } from './errors.ts';
import { parsePublicUrl } from './public-url.ts';

const SERVICE = /^service:[a-z]([-a-z0-9]*[a-z0-9])?\.[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
// What a timer of Node can be set to.
const LONGEST_MS = 24 * 86_400_000;

/** The daemon's flags. Each is also an environment variable: `--idle-timeout` is `SPAWNER_IDLE_TIMEOUT`. */
export function daemonOptions(): Option[] {
  return [
    flag(
      '--application-command <command>',
      'shell command that runs one session of your app as a process; it gets PORT and HOST',
    ).argParser(command),
    flag(
      '--application-image <image>',
      'container image of your app: sessions are Pods of a cluster, found by KUBECONFIG or from within',
    ).argParser(image),
    flag('--application-port <port>', 'where the app in the image listens', '8080').argParser(port),
    flag('--namespace <name>', 'where Pods are made (default: that of the credentials)').argParser(namespace),
    flag(
      '--pod-template <file>',
      "your part of a session's Pod, in the form of a Pod; see docs/kubernetes.md",
    ),
    flag(
      '--allow-image <pattern>',
      'image that a caller of /init may choose; * is anything but a slash, ** anything; repeat for more',
    ).argParser(list),
    flag('--max-cpu <quantity>', 'CPU that a caller of /init may ask for, such as 2 or 500m').argParser(
      quantity,
    ),
    flag('--max-memory <quantity>', 'memory that a caller of /init may ask for, such as 2Gi').argParser(
      quantity,
    ),
    flag('--sidecar-image <image>', "the router's image, for --status sidecar").argParser(image),
    flag(
      '--unschedulable-timeout <duration>',
      'how long a Pod may wait for a node; longer than new nodes take if your cluster adds them',
      '15s',
    ).argParser(duration),
    flag(
      '--public-url <url>',
      'where browsers reach the router; with {id} as its first name, such as https://{id}.my-domain.com, each session has a host of its own',
      'http://127.0.0.1:8000',
    ).argParser(publicUrl),
    yesOrNo('--keep-prefix [boolean]', 'the app is asked for /p/<id>/…, as browsers are, and not for /…'),
    yesOrNo('--require-token [boolean]', 'a new session is open only to who came by the URL of POST /init'),
    flag(
      '--token-secret <secret>',
      'what access tokens are made from: another one makes all of them invalid (default, without a cluster: made once and kept in --state-dir)',
    ).argParser(tokenSecret),
    flag('--listen <address:port>', 'where the daemon serves its API', '127.0.0.1:8080').argParser(
      listenAddress,
    ),
    flag(
      '--router <address>',
      'admin API of a router: unix:/path, http://host:port or, for all Pods behind a Service, service:name.namespace; repeat for more',
    ).argParser(routerAddresses),
    flag('--router-token <token>', 'bearer token for routers that are reached over http'),
    flag('--api-token <token>', 'bearer token that callers of the API must send').argParser(apiToken),
    yesOrNo('--allow-unauthenticated-api [boolean]', 'listen beyond loopback without --api-token'),
    flag(
      '--status <source>',
      'how use is seen: app asks GET /status of the app, router counts in nginx, sidecar looks at connections in the Pod',
      'router',
    ).choices(['app', 'sidecar', 'router']),
    flag('--idle-timeout <duration>', 'a session that nobody uses for so long is reaped', '30s').argParser(
      duration,
    ),
    flag(
      '--max-lifetime <duration>',
      'a session ends after so long, used or not; off never',
      'off',
    ).argParser(durationOrOff),
    flag('--start-timeout <duration>', 'a session that does not listen by then has failed', '60s').argParser(
      duration,
    ),
    flag('--stop-grace <duration>', 'time between SIGTERM and SIGKILL', '5s').argParser(duration),
    flag(
      '--status-misses <count>',
      'failed status reads in a row after which a session that nobody is seen to use may end',
      '5',
    ).argParser(count),
    flag('--max-sessions <count>', 'sessions at one time; more are told 429', '1000').argParser(count),
    flag('--ports <first-last>', 'ports on 127.0.0.1 that sessions may get', '20000-20999').argParser(
      portRange,
    ),
    flag(
      '--state-dir <folder>',
      'where the daemon keeps what it needs to find its sessions after a restart (default: ~/.local/state/spawner)',
    ),
    flag('--log-level <level>', 'what is logged', 'info').choices([
      'debug',
      'info',
      'warn',
      'error',
      'silent',
    ]),
  ];
}

/** An option with its environment variable; the default stays text, so that `--help` shows what one would type. */
export function flag(flags: string, description: string, defaultValue?: string): Option {
  const option = new Option(flags, description);
  option.env(`SPAWNER_${option.name().replaceAll('-', '_').toUpperCase()}`);
  if (defaultValue !== undefined) option.default(defaultValue);
  return option;
}

function yesOrNo(flags: string, description: string): Option {
  return flag(flags, description, 'false').preset('true').choices(['true', 'false']);
}

function duration(text: string): string {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms <= 0 || ms > LONGEST_MS) {
    throw new InvalidArgumentError(
      'Write a duration above zero and up to 24d, such as 500ms, 30s, 5m or 2h.',
    );
  }
  return text;
}

function durationOrOff(text: string): string {
  return text === 'off' ? text : duration(text);
}

function command(text: string): string {
  if (text.trim() === '')
    throw new InvalidArgumentError('Write what starts your app, such as "node my-app.js".');
  return text;
}

function image(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/.test(text)) {
    throw new InvalidArgumentError('Write the name of an image, such as my-app:1.0.');
  }
  return text;
}

function port(text: string): string {
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError('Write a port between 1 and 65535.');
  }
  return text;
}

function namespace(text: string): string {
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)) {
    throw new InvalidArgumentError('Write the name of a namespace: lower-case letters, digits and dashes.');
  }
  return text;
}

function quantity(text: string): string {
  if (!isQuantity(text))
    throw new InvalidArgumentError('Write a quantity of Kubernetes, such as 500m, 2 or 512Mi.');
  return text;
}

// Several in one variable are separated by commas; repeated flags add up.
export function list(text: string, previous: string[] | undefined): string[] {
  const added = text.split(',').map((part) => part.trim());
  if (added.includes('')) throw new InvalidArgumentError('Write patterns with commas between them.');
  return [...(previous ?? []), ...added];
}

export function count(text: string): string {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Write a whole number from 1 on.');
  return text;
}

function apiToken(text: string): string {
  return secret('--api-token', text, 16);
}

function tokenSecret(text: string): string {
  return secret('--token-secret', text, 32);
}

/** Not an InvalidArgumentError: commander would print the value. */
function secret(name: string, text: string, least: number): string {
  if (text.length >= least && /^[\x21-\x7e]+$/.test(text)) return text;
  throw new ConfigError(`${name}: write ${least} characters or more, without blanks.`);
}

function publicUrl(text: string): string {
  const parsed = parsePublicUrl(text);
  if (typeof parsed === 'string') throw new InvalidArgumentError(parsed);
  return text;
}

/** `ipv4:port`, `[ipv6]:port` or `localhost:port`; port 0 takes any free one. */
export function listenAddress(text: string): string {
  const [, host, port] = /^(localhost|[\d.]+|\[[\da-fA-F:]+\]):(\d{1,5})$/.exec(text) ?? [];
  const isAddress = host === 'localhost' || isIP(host?.replace(/^\[|\]$/g, '') ?? '') !== 0;
  if (!isAddress || Number(port) > 65_535) {
    throw new InvalidArgumentError('Write an IP address (or localhost) and a port, such as 127.0.0.1:8080.');
  }
  return text;
}

function routerAddresses(text: string, previous: string[] | undefined): string[] {
  const all = list(text, previous);
  for (const address of all) {
    if (!/^unix:\/./.test(address) && !isPlainHttpUrl(address) && !SERVICE.test(address)) {
      throw new InvalidArgumentError(
        'Write unix:/path/to/socket, http://host:port or service:name.namespace.',
      );
    }
  }
  return all;
}

function isPlainHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'http:' && url.pathname === '/' && !url.search && !url.hash && !url.username;
}

function portRange(text: string): string {
  const [first, last] = text.split('-').map(Number);
  const valid = /^\d{4,5}-\d{4,5}$/.test(text) && first !== undefined && last !== undefined;
  if (!valid || first < 1024 || last > 65_535 || first > last) {
    throw new InvalidArgumentError('Write first-last between 1024 and 65535, such as 20000-20999.');
  }
  return text;
}

/** What can be set of a router, and what nginx would take as such. */
import { isIP } from 'node:net';
import type { Mode, PublicUrl } from '../daemon/public-url.ts';
import { parseRanges } from '../njs/backends.ts';

export interface RouterSettings {
  /** Where nginx will find the compiled router: `spawner.js`, absolute. `hotBundleOf` it lies beside it. */
  jsPath: string;
  /** How sessions are reached: docs/nginx.md. */
  mode: Mode;
  /** In mode `host`: what follows a session's id in its host, such as `.apps.example.com`; else ''. */
  hostSuffix: string;
  /** nginx sizes, like `8m`. A session takes about 390 bytes of the first, and 260 a worker of the second. */
  routesZoneSize: string;
  activityZoneSize: string;
  /** `unix:/absolute/path` or `ip:port`. */
  adminListen: string;
  /** '' for none, which only a unix socket allows. */
  adminToken: string;
  holdSeconds: number;
  /** Per worker. */
  holdMax: number;
  /** Per worker. */
  holdMaxPerSession: number;
  /** Requests and WebSockets that one session may have open. */
  connectionsPerSession: number;
  /** Where routes may lead: `cidr`, `cidr:port`, `cidr:first-last`. */
  backends: string[];
  /** Where sessions are found by DNS, in a cluster; else what `backends` says is pooled: scripts/pool.ts. */
  dnsPool?: DnsPool | undefined;
  /** Addresses or networks of proxies in front that are believed, or `unix:`. */
  trustedProxies: string[];
  /** Of which pages may open WebSockets, beside a session's own; none: of any. `self` is the session's own. */
  allowedOrigins: string[];
  /** Of the nginx that will read the files, such as `1.30.6`: newer ones can do more. */
  nginxVersion: string;
  /** Unset: nginx's default, and no directive, since njs before 0.8.6 knows none. */
  engine?: 'njs' | 'qjs' | undefined;
}

export interface DnsPool {
  /** The headless Service of a shard, with `{shard}` for its character. */
  service: string;
  /** Where apps listen. */
  port: number;
  /** The cluster's DNS servers, `ip` or `ip:port`. */
  resolvers: string[];
}

export interface NginxSettings {
  /** For `load_module`; null if the module is built in. */
  module: string | null;
  /** A number or `auto`. */
  workers: number | 'auto';
  /** The public address: `ip:port` or `unix:/absolute/path`. */
  listen: string;
  /** PEM files, absolute: then the public address speaks TLS, with HTTP/2. */
  tls?: { certificate: string; key: string } | undefined;
  /** Whom the workers run as; only root may choose. */
  user?: string | undefined;
  /** The folder that nginx runs in, absolute: `nginx -p`. */
  directory: string;
  /** A file, or `stderr`. */
  errorLog: string;
  /** The daemon's API, for the page at `/`. */
  apiUrl: string;
}

/** A value that nginx would not take, or would not take as one value. */
export class SettingError extends Error {
  readonly setting: string;

  constructor(setting: string, problem: string) {
    super(`${setting}: ${problem}`);
    this.setting = setting;
  }
}

/** The bundle of the hot path: `spawner-hot.js`. */
export function hotBundleOf(jsPath: string): string {
  return jsPath.replace(/(\.js)?$/, '-hot.js');
}

/** The flag of `npm run router` or `npm start` that sets it. */
export function flagOf(setting: string): string {
  const others: Record<string, string> = {
    jsPath: '--out',
    backends: '--backend',
    trustedProxies: '--trusted-proxy',
    allowedOrigins: '--allow-origin',
  };
  return others[setting] ?? `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export const ROUTER_DEFAULTS: RouterSettings = {
  jsPath: '/etc/nginx/spawner/spawner.js',
  mode: 'path',
  hostSuffix: '',
  routesZoneSize: '8m',
  activityZoneSize: '8m',
  adminListen: 'unix:/run/spawner/admin.sock',
  adminToken: '',
  holdSeconds: 30,
  holdMax: 1000,
  holdMaxPerSession: 100,
  connectionsPerSession: 1000,
  // The daemon's `--ports`.
  backends: ['127.0.0.1:20000-20999'],
  trustedProxies: [],
  allowedOrigins: [],
  nginxVersion: '1.26.0',
};

/** Where the Pods of a cluster may be: RFC 1918, RFC 6598 and RFC 4193. */
export const PRIVATE_NETWORKS = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '[fc00::]/7',
];

/** The settings that say how sessions are reached. */
export function placeOf(publicUrl: PublicUrl, mode: Mode): Pick<RouterSettings, 'mode' | 'hostSuffix'> {
  const name = publicUrl.host.replace(/:\d+$/, '');
  return { mode, hostSuffix: publicUrl.form === 'host' ? `.${name}` : '' };
}

const PATH = 'an absolute path without quotes, spaces or control characters';
const LISTEN = 'ip:port, or unix: and an absolute path of at most 107 bytes without quotes and spaces';
const COUNT = 'a whole number from 1 on';
const SIZE = 'a size like 8m, at least 64k';

/** @throws {SettingError} */
export function checkRouter(settings: RouterSettings): void {
  const { jsPath, hostSuffix, routesZoneSize, activityZoneSize, adminListen, adminToken } = settings;
  check('jsPath', jsPath, isPath(jsPath), PATH);
  check('hostSuffix', hostSuffix, /^(\.[a-z0-9_-]+)*$/.test(hostSuffix), 'a domain with a dot before it');
  check('routesZoneSize', routesZoneSize, isSize(routesZoneSize), SIZE);
  check('activityZoneSize', activityZoneSize, isSize(activityZoneSize), SIZE);
  check('adminListen', adminListen, isListen(adminListen), LISTEN);
  check('adminToken', '…', /^[\w.~+/=-]*$/.test(adminToken), 'letters, digits and ._~+/=- only');
  for (const name of ['holdSeconds', 'holdMax', 'holdMaxPerSession'] as const) {
    check(name, settings[name], isCount(settings[name]), COUNT);
  }
  const { connectionsPerSession } = settings;
  check(
    'connectionsPerSession',
    connectionsPerSession,
    isPort(connectionsPerSession),
    'a number from 1 to 65535',
  );
  if (settings.mode === 'host') check('hostSuffix', hostSuffix, hostSuffix !== '', 'a domain');
  check('nginxVersion', settings.nginxVersion, /^\d+\.\d+\.\d+$/.test(settings.nginxVersion), 'like 1.26.3');
  const ranges = parseRanges(settings.backends.join(' '));
  if (typeof ranges === 'string') throw new SettingError('backends', ranges);
  checkEach(
    'trustedProxies',
    settings.trustedProxies,
    isNetwork,
    'an address, a network like 10.0.0.0/8, or unix:',
  );
  checkEach(
    'allowedOrigins',
    settings.allowedOrigins,
    isOrigin,
    '"self" or an origin like https://example.com',
  );
}

/** @throws {SettingError} */
export function checkNginx({ listen, directory, workers, tls }: NginxSettings): void {
  check('listen', listen, isListen(listen), LISTEN);
  check('directory', directory, isPath(directory), PATH);
  check('workers', workers, workers === 'auto' || isCount(workers), COUNT);
  for (const path of tls ? [tls.certificate, tls.key] : [])
    check(path === tls?.certificate ? 'tlsCertificate' : 'tlsKey', path, isPath(path), PATH);
}

function check(name: string, value: unknown, right: boolean, wanted: string): void {
  if (!right) {
    throw new SettingError(name, `${JSON.stringify(value)} is not ${wanted}`);
  }
}

function checkEach(name: string, values: string[], isRight: (text: string) => boolean, wanted: string): void {
  for (const value of values) check(name, value, isRight(value), wanted);
}

function isPath(text: string): boolean {
  return /^\/[^\s"'\\;{}$]*$/.test(text);
}

/** A unix socket's path has at most 107 bytes (unix(7)). */
function isListen(text: string): boolean {
  const path = /^unix:(.*)$/.exec(text)?.[1];
  const port = /^(?:localhost|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):(\d+)$/.exec(text)?.[1];
  return path === undefined ? isPort(Number(port)) : isPath(path) && Buffer.byteLength(path) <= 107;
}

function isSize(text: string): boolean {
  const match = /^(\d+)([km])$/i.exec(text);
  return match !== null && Number(match[1]) * (match[2]?.toLowerCase() === 'm' ? 1024 : 1) >= 64;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

/** nginx' `limit_conn` goes as far as ports do. */
function isPort(value: number): boolean {
  return isCount(value) && value <= 65_535;
}

function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([\d.]+|[\da-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const most = { 4: 32, 6: 128 }[isIP(address)];
  return text === 'unix:' || (most !== undefined && Number(bits ?? 0) <= most);
}

function isOrigin(text: string): boolean {
  return text === 'self' || (/^https?:\/\/[a-z0-9._:[\]-]+$/.test(text) && URL.parse(text)?.origin === text);
}

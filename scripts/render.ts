/** The router's nginx configuration, from the templates in nginx/. Writes nothing: `writeFiles` does. */
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface RouterSettings {
  /** Where nginx will find the compiled router: `spawner.js`, absolute. */
  jsPath: string;
  /** nginx sizes, like `8m`. A session takes about 320 bytes of the first, and 256 a worker of the second. */
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
  /** Unset: nginx's default, and no directive, since njs before 0.8.6 knows none. */
  engine?: 'njs' | 'qjs' | undefined;
}

export interface NginxSettings {
  /** For `load_module`; null if the module is built in. */
  module: string | null;
  /** A number or `auto`. */
  workers: number | 'auto';
  /** The public address: `ip:port` or `unix:/absolute/path`. */
  listen: string;
  /** Whom the workers run as; only root may choose. */
  user?: string | undefined;
  /** The folder that nginx runs in, absolute: `nginx -p`. */
  directory: string;
  /** A file, or `stderr`. */
  errorLog: string;
  /** The daemon's API, for the page at `/`. */
  apiUrl: string;
}

/** Texts by file name. */
export type Files = { [name: string]: string };

/** A value that nginx would not take, or would not take as one value. */
export class SettingError extends Error {
  readonly setting: string;

  constructor(setting: string, problem: string) {
    super(`${setting}: ${problem}`);
    this.setting = setting;
  }
}

export const ROUTER_DEFAULTS: RouterSettings = {
  jsPath: '/etc/nginx/spawner/spawner.js',
  routesZoneSize: '8m',
  activityZoneSize: '8m',
  adminListen: 'unix:/run/spawner/admin.sock',
  adminToken: '',
  holdSeconds: 30,
  holdMax: 1000,
  holdMaxPerSession: 100,
};

/** The two files to include. Throws SettingError. */
export function renderRouter(given: Partial<RouterSettings>): Files {
  const settings = { ...ROUTER_DEFAULTS, ...given };
  checkRouter(settings);
  const proxy = template('spawner-proxy.conf').trimEnd();
  return {
    'spawner-http.conf': fill('spawner-http.conf', {
      ...settings,
      engine: settings.engine === undefined ? '' : `js_engine ${settings.engine};`,
    }),
    'spawner-server.conf': fill('spawner-server.conf', { proxy }),
  };
}

/** A whole nginx around `renderRouter`. */
export function renderNginx(nginx: NginxSettings, router: Partial<RouterSettings>): Files {
  check('listen', nginx.listen, isListen(nginx.listen), LISTEN);
  check('directory', nginx.directory, isPath(nginx.directory), PATH);
  check('workers', nginx.workers, nginx.workers === 'auto' || isCount(nginx.workers), COUNT);
  const { protocol, host } = new URL(nginx.apiUrl);
  return {
    ...renderRouter(router),
    'nginx.conf': fill('nginx.conf', {
      module: nginx.module === null ? '' : `load_module "${nginx.module}";`,
      user: nginx.user === undefined ? '' : `user ${nginx.user};`,
      errorLog: nginx.errorLog,
      workers: nginx.workers,
      listen: nginx.listen,
      directory: nginx.directory,
    }),
    'welcome.html': fill('welcome.html', { apiUrl: `${protocol}//${host}` }),
  };
}

/** A file that holds a token is for its owner only. */
export async function writeFiles(directory: string, files: Files, mode = 0o644): Promise<void> {
  await makeFolder(directory);
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    await writeFile(path, text, { mode });
    await chmod(path, mode);
  }
}

/** Node's own `recursive` never ends below /proc, whose folders exist but answer ENOENT. */
async function makeFolder(directory: string): Promise<void> {
  if (existsSync(directory)) return;
  await makeFolder(dirname(directory));
  await mkdir(directory);
}

const PATH = 'an absolute path without quotes, spaces or control characters';
const LISTEN = 'ip:port, or unix: and an absolute path of at most 107 bytes without quotes and spaces';
const COUNT = 'a whole number from 1 on';

function checkRouter(settings: RouterSettings): void {
  const { jsPath, routesZoneSize, activityZoneSize, adminListen, adminToken } = settings;
  check('jsPath', jsPath, isPath(jsPath), PATH);
  check('routesZoneSize', routesZoneSize, isSize(routesZoneSize), 'a size like 8m, at least 64k');
  check('activityZoneSize', activityZoneSize, isSize(activityZoneSize), 'a size like 8m, at least 64k');
  check('adminListen', adminListen, isListen(adminListen), LISTEN);
  check('adminToken', '…', /^[\w.~+/=-]*$/.test(adminToken), 'letters, digits and ._~+/=- only');
  for (const name of ['holdSeconds', 'holdMax', 'holdMaxPerSession'] as const) {
    check(name, settings[name], isCount(settings[name]), COUNT);
  }
}

function check(name: string, value: unknown, right: boolean, wanted: string): void {
  if (!right) {
    throw new SettingError(name, `${JSON.stringify(value)} is not ${wanted}`);
  }
}

function isPath(text: string): boolean {
  return /^\/[^\s"'\\;{}$]*$/.test(text);
}

/** A unix socket's path has at most 107 bytes (unix(7)). */
function isListen(text: string): boolean {
  const path = /^unix:(.*)$/.exec(text)?.[1];
  return path === undefined
    ? /^(localhost|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):\d+$/.test(text)
    : isPath(path) && Buffer.byteLength(path) <= 107;
}

function isSize(text: string): boolean {
  const match = /^(\d+)([km])$/i.exec(text);
  return match !== null && Number(match[1]) * (match[2]?.toLowerCase() === 'm' ? 1024 : 1) >= 64;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

function template(name: string): string {
  return readFileSync(new URL(`../nginx/${name}`, import.meta.url), 'utf8');
}

function fill(name: string, values: { [key: string]: unknown }): string {
  return template(name).replace(/\{\{(\w+)\}\}/g, (_, key: string) => String(values[key]));
}

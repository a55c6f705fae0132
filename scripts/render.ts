/** The router's nginx configuration, from the templates in nginx/. Writes nothing: `writeFiles` does. */
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isAtLeast } from './nginx-version.ts';
import { type Pool, peersOf, poolOf, poolSetting, zoneSizeOf } from './pool.ts';
import {
  checkNginx,
  checkRouter,
  hotBundleOf,
  type NginxSettings,
  ROUTER_DEFAULTS,
  type RouterSettings,
} from './router-settings.ts';

/** What is looked at to tell whether a page may open a WebSocket. */
const ORIGIN_KEY = '$spawner_upgrade $http_origin $spawner_scheme://$spawner_public_host';

/** Texts by file name. */
export type Files = { [name: string]: string };

/** The two files to include. Throws SettingError. */
export function renderRouter(given: Partial<RouterSettings>): Files {
  const settings = { ...ROUTER_DEFAULTS, ...given };
  checkRouter(settings);
  const { mode, hostSuffix, nginxVersion, engine, jsPath } = settings;
  const isHost = mode === 'host';
  const pool = poolOf(settings);
  const dns = pool?.kind === 'dns' ? pool : undefined;
  const proxy = fill('spawner-proxy.conf', {
    connectionsPerSession: settings.connectionsPerSession,
    hotPath: hotBundleOf(jsPath),
    hiddenHeaders: isHost ? '' : fill('origin-wide.conf', {}),
    realIp: lines(settings.trustedProxies.length === 0 ? [] : realIp(settings.trustedProxies)),
    lineFeatures: lines([
      ...(hasTrailers(nginxVersion) ? ['proxy_pass_trailers on;'] : []),
      // Its links are not rewritten, so it is for apps that name their own paths. Old clients of HTTP/1.1 mistake it
      // for the answer.
      ...(mode !== 'path' && isAtLeast(nginxVersion, '1.29.0') ? ['early_hints $http2;'] : []),
    ]),
  });
  return {
    'spawner-http.conf': fill('spawner-http.conf', {
      ...settings,
      adminUrl: adminUrl(settings.adminListen),
      backends: settings.backends.join(' '),
      trustedProxies: lines(settings.trustedProxies.map(trusted)),
      originKey: settings.allowedOrigins.length === 0 ? '' : ORIGIN_KEY,
      originRules: lines(originRules(settings.allowedOrigins)),
      trailers: lines(hasTrailers(nginxVersion) ? ['"~*(?:^|[, ])trailers(?:$|[, ;])" trailers;'] : []),
      engine: engine === undefined ? '' : `js_engine ${engine};`,
      pool: poolSetting(pool),
      connection: pool ? '' : 'close',
      connectionWithTe: pool ? 'TE' : 'TE, close',
      upstreams: pool ? upstreams(pool) : '',
      mode: fill(`mode-${mode}.conf`, { hostSuffix, hostPattern: escapePattern(hostSuffix) }),
    }),
    'spawner-server.conf': fill('spawner-server.conf', {
      proxy,
      upstream: pool ? '$spawner_upstream' : '$spawner_backend',
      enterPool: dns ? fill('pool-dns-enter.conf', {}) : '',
      poolLocations: dns ? fill('pool-dns-locations.conf', { proxy }) : '',
      jsPath,
      owned: isHost ? 'all of it' : '/p/',
      sessions: isHost ? '/' : '^~ /p/',
      wait: isHost ? '= /.spawner/wait' : '^~ /p/-/wait/',
      reserved: isHost ? fill('reserved-host.conf', { jsPath }) : '',
    }),
  };
}

/** A whole nginx around `renderRouter`. */
export function renderNginx(nginx: NginxSettings, router: Partial<RouterSettings>): Files {
  checkNginx(nginx);
  const { hostSuffix = '' } = router;
  const { protocol, host } = new URL(nginx.apiUrl);
  const listen = nginx.tls ? `${nginx.listen} ssl` : nginx.listen;
  const server = fill(router.mode === 'host' ? 'server-host.conf' : 'server-path.conf', {
    listen,
    hostApex: hostSuffix.slice(1),
    tls: nginx.tls ? fill('server-tls.conf', nginx.tls) : '',
    limits: fill('server-limits.conf', {}),
    serverConf: 'spawner-server.conf',
    elsewhere: fill('welcome.conf', { directory: nginx.directory }),
  });
  return {
    ...renderRouter(router),
    'nginx.conf': fill('nginx.conf', {
      module: nginx.module === null ? '' : `load_module "${nginx.module}";`,
      user: nginx.user === undefined ? '' : `user ${nginx.user};`,
      errorLog: nginx.errorLog,
      workers: nginx.workers,
      server,
    }),
    'welcome.html': fill('welcome.html', { apiUrl: `${protocol}//${host}` }),
  };
}

function upstreams(pool: Pool): string {
  const poolZoneSize = zoneSizeOf(pool);
  const shards = peersOf(pool).map(({ shard, peers }) =>
    fill('pool-shard.conf', { shard, poolZoneSize, peers: lines(peers) }),
  );
  const text = fill('pool.conf', { shards: shards.join('\n') });
  return pool.kind === 'dns'
    ? `${text}\n${fill('pool-dns.conf', { resolver: pool.resolvers.join(' ') })}`
    : text;
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

function hasTrailers(nginxVersion: string): boolean {
  return isAtLeast(nginxVersion, '1.27.2');
}

function realIp(proxies: string[]): string[] {
  const from = proxies.map((proxy) => `set_real_ip_from ${proxy};`);
  return [...from, 'real_ip_header X-Forwarded-For;', 'real_ip_recursive on;'];
}

/** The admin API as nginx itself reaches it: all addresses include loopback, and njs looks up no names by itself. */
function adminUrl(listen: string): string {
  const address = listen.replace(/^(0\.0\.0\.0|localhost):/, '127.0.0.1:').replace(/^\[::\]:/, '[::1]:');
  return `http://${address}${listen.startsWith('unix:') ? ':' : ''}`;
}

/** nginx' `geo` takes whoever comes through a unix socket for 255.255.255.255. */
function trusted(proxy: string): string {
  return `${proxy === 'unix:' ? '255.255.255.255' : proxy} 1;`;
}

/** What names no Origin is no page of a browser. */
function originRules(allowed: string[]): string[] {
  if (allowed.length === 0) return [];
  const others = allowed.filter((origin) => origin !== 'self').map(escapePattern);
  return [
    '"~^websocket  " "";',
    String.raw`"~^websocket (\S+) \1$" "";`,
    ...others.map((origin) => `"~^websocket ${origin} " "";`),
    '"~^websocket " 1;',
  ];
}

function escapePattern(text: string): string {
  return text.replace(/[.[\]]/g, String.raw`\$&`);
}

function lines(texts: string[]): string {
  return texts.map((text) => `  ${text}`).join('\n');
}

function fill(name: string, values: { [key: string]: unknown }): string {
  const template = readFileSync(new URL(`../nginx/${name}`, import.meta.url), 'utf8').trimEnd();
  // A part that is empty leaves no empty line.
  const text = template.replace(/^([ \t]*)\{\{(\w+)\}\}\n?/gm, (line, _, key: string) =>
    values[key] === '' ? '' : line,
  );
  return `${text.replace(/\{\{(\w+)\}\}/g, (_, key: string) => String(values[key]))}`;
}

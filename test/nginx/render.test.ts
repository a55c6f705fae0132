import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { renderNginx, renderRouter } from '../../scripts/render.ts';
import { type RouterSettings, SettingError } from '../../scripts/router-settings.ts';

const NGINX = {
  module: '/modules/js.so',
  workers: 3,
  listen: '127.0.0.1:8000',
  user: 'root',
  directory: '/scratch',
  errorLog: 'stderr',
  apiUrl: 'http://127.0.0.1:8080/',
} as const;

test('every setting arrives where nginx reads it', (t) => {
  const { 'spawner-http.conf': http = '' } = renderRouter({
    jsPath: '/here/spawner.js',
    routesZoneSize: '3m',
    activityZoneSize: '512k',
    adminListen: '127.0.0.1:8081',
    adminToken: 'top-secret',
    holdSeconds: 7,
    holdMax: 8,
    holdMaxPerSession: 9,
    engine: 'qjs',
  });
  for (const line of [
    'js_shared_dict_zone zone=spawner_routes:3m;',
    'js_shared_dict_zone zone=spawner_activity:512k type=number;',
    'js_var $spawner_hold_seconds 7;',
    'js_var $spawner_hold_max 8;',
    'js_var $spawner_hold_max_per_session 9;',
    'js_var $spawner_admin_token "top-secret";',
    'listen 127.0.0.1:8081;',
    'js_engine qjs;',
    'js_import spawner from "/here/spawner.js";',
  ]) {
    t.true(
      http.split('\n').some((text) => text.trim() === line),
      line,
    );
  }
});

for (const [listen, url] of [
  ['unix:/run/spawner/admin.sock', 'http://unix:/run/spawner/admin.sock:'],
  ['10.0.0.5:8081', 'http://10.0.0.5:8081'],
  ['0.0.0.0:8081', 'http://127.0.0.1:8081'],
  ['localhost:8081', 'http://127.0.0.1:8081'],
  ['[::]:8081', 'http://[::1]:8081'],
] as const) {
  test(`nginx reaches what listens on ${listen}`, (t) => {
    const { 'spawner-http.conf': http = '' } = renderRouter({ adminListen: listen });
    t.true(http.includes(`js_var $spawner_admin_url "${url}";`));
  });
}

test('nothing of a template is left unfilled', (t) => {
  const files = {
    ...renderNginx(NGINX, {}),
    ...renderNginx({ ...NGINX, module: null, user: undefined }, {}),
  };
  t.deepEqual(Object.keys(files).sort(), [
    'nginx.conf',
    'spawner-http.conf',
    'spawner-server.conf',
    'welcome.html',
  ]);
  for (const [name, text] of Object.entries(files)) {
    t.notRegex(text, /\{\{|undefined|"null"/, name);
  }
  t.true(files['welcome.html']?.includes('curl -X POST http://127.0.0.1:8080/init'));
});

const WRONG: [keyof RouterSettings, unknown][] = [
  ['jsPath', 'spawner.js'],
  ['jsPath', '/a"; load_module "x'],
  ['routesZoneSize', '8'],
  ['routesZoneSize', '32k'],
  ['activityZoneSize', '8m; evict'],
  ['adminListen', '8081'],
  ['adminListen', 'unix:relative'],
  ['adminListen', `unix:/${'x'.repeat(107)}`],
  ['adminListen', 'unix:/a; deny all'],
  ['adminToken', 'a"b'],
  ['adminToken', 'a b'],
  ['holdSeconds', 0],
  ['holdMax', 1.5],
  ['holdMaxPerSession', Number.NaN],
];

for (const [setting, value] of WRONG) {
  test(`refused: ${setting} ${JSON.stringify(value)}`, (t) => {
    const error = t.throws(() => renderRouter({ [setting]: value }), { instanceOf: SettingError });
    t.is(error.setting, setting);
    t.true(error.message.startsWith(setting));
  });
}

async function router(...flags: string[]) {
  const script = join(import.meta.dirname, '..', '..', 'scripts', 'router.ts');
  const run = promisify(execFile)(process.execPath, [script, ...flags]);
  return run.then(
    ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ status: code, stdout, stderr }),
  );
}

test('npm run router writes three files, and keeps a token from others', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'spawner-files-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const listen = ['--admin-listen', '127.0.0.1:8081', '--admin-token', 'top-secret'];
  t.like(await router('--out', directory, '--routes-zone-size', '2m', ...listen), { status: 0, stderr: '' });
  const http = join(directory, 'spawner-http.conf');
  const text = await readFile(http, 'utf8');
  t.true(text.includes('zone=spawner_routes:2m') && text.includes('zone=spawner_activity:2m'));
  t.true(text.includes(`"${join(directory, 'spawner.js')}"`));
  t.is((await stat(http)).mode & 0o777, 0o600);
  t.is((await stat(join(directory, 'spawner.js'))).mode & 0o777, 0o644);
  t.true((await stat(join(directory, 'spawner-server.conf'))).isFile());
});

test('npm run router says in one line what is wrong, by the name of the flag', async (t) => {
  for (const [flags, problem] of [
    [[], /--out/],
    [['--out', '/tmp/x', '--hold-max', '0'], /--hold-max/],
    [['--out', '/tmp/x', '--admin-listen', '127.0.0.1:8081'], /--admin-token is missing/],
    [['--out', '/tmp/x', '--admin-listen', 'unix:x'], /--admin-listen/],
    [['--out', '/tmp/x', '--routes-zone-size', 'big'], /--routes-zone-size/],
    [['--out', '/tmp/x', '--activity-zone-size', 'big'], /--activity-zone-size/],
    [['--out', '/dev/null/x'], /\/dev\/null\/x/],
  ] as const) {
    const { status, stdout, stderr } = await router(...flags);
    t.deepEqual([status, stdout], [2, ''], flags.join(' '));
    t.regex(stderr, problem);
    t.is(stderr.trim().split('\n').length, 1, stderr);
  }
});

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { type NginxLine, nginxFor } from '../../scripts/nginx.ts';
import { type Admin, adminAt } from '../support/admin.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { ask } from '../support/http.ts';
import { endNginx, startNginx } from '../support/nginx.ts';
import { until } from '../support/poll.ts';
import { idOf } from '../support/stacks.ts';
import { connectWebSocket, say } from '../support/web-socket.ts';

const A = idOf('a');
const ROOT = join(import.meta.dirname, '..', '..');
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

interface Operator {
  directory: string;
  publicSocket: string;
  admin: Admin;
  /** The site's own API, beside the sessions. */
  api: Backend;
}

/** An nginx with the configuration that docs/nginx.md prints; only where things are is another. */
async function startOperator(
  t: ExecutionContext,
  line: NginxLine,
  change = (text: string) => text,
): Promise<Operator> {
  const directory = await mkdtemp(join(tmpdir(), 'spawner-operator-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const api = await startBackend('api');
  t.teardown(() => api.stop());
  const at = (name: string) => join(directory, name);
  const { bin, module } = nginxFor(line);

  const listen = `unix:${at('admin.sock')}`;
  const flags = ['--out', at('spawner'), '--admin-listen', listen, '--backend', '127.0.0.0/8'];
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'router.ts'), ...flags]);
  await mkdir(at('html'));
  await writeFile(at('html/index.html'), 'the site');
  await writeFile(at('mime.types'), 'types { text/html html; }');

  let text = /```nginx\n(.*?)```/s.exec(await readFile(join(ROOT, 'docs', 'nginx.md'), 'utf8'))?.[1] ?? '';
  const places: [string, string][] = [
    ['load_module modules/ngx_http_js_module.so;', module === null ? '' : `load_module ${module};`],
    ['user www-data;', process.getuid?.() === 0 ? 'daemon off; user root;' : 'daemon off;'],
    ['/run/nginx.pid', at('pid')],
    ['/var/log/nginx/error.log', at('error.log')],
    ['/var/log/nginx/access.log', at('access.log')],
    ['include /etc/nginx/mime.types;', `include ${at('mime.types')}; ${temporaryPaths(at)}`],
    ['/etc/nginx/spawner/spawner-http.conf', at('spawner/spawner-http.conf')],
    ['/etc/nginx/spawner/spawner-server.conf', at('spawner/spawner-server.conf')],
    ['listen 80;', `listen unix:${at('public.sock')};`],
    ['/var/www/html', at('html')],
    ['127.0.0.1:3000', api.address],
  ];
  for (const [documented, here] of places) {
    t.true(text.includes(documented), documented);
    text = text.replace(documented, here);
  }
  await writeFile(at('nginx.conf'), change(text));

  const admin = adminAt(at('admin.sock'));
  const ready = () =>
    admin
      .call('GET', '/v1/health')
      .then(() => true)
      .catch(() => false);
  const nginx = await startNginx(bin, directory, at('error.log'), ready);
  t.teardown(() => endNginx(nginx));
  return { directory, publicSocket: at('public.sock'), admin, api };
}

function temporaryPaths(at: (name: string) => string): string {
  return TEMPORARY.map((name) => `${name}_temp_path ${at(`tmp-${name}`)};`).join(' ');
}

for (const line of ['stable', 'current'] as const) {
  test.serial(`the documented nginx.conf serves the site, its API and sessions [${line}]`, async (t) => {
    const { directory, publicSocket, admin, api } = await startOperator(t, line);
    const app = await startBackend('A');
    t.teardown(() => app.stop());
    await admin.put(A, 'ready', app.address);
    await admin.fill();

    t.is((await ask(publicSocket, '/')).body, 'the site');
    t.is((await ask(publicSocket, '/nothing')).status, 404);
    t.is((await ask(publicSocket, '/index.php')).status, 404);
    t.is(JSON.parse((await ask(publicSocket, '/api/x')).body).backend, 'api');
    t.deepEqual(api.seen, ['/api/x']);

    const session = await ask(publicSocket, `/p/${A}/index.php?x`);
    t.like(JSON.parse(session.body), { backend: 'A', url: '/index.php?x' });
    const socket = await connectWebSocket(publicSocket, `/p/${A}/api/`);
    t.is(await say(socket, 'hello'), 'A:hello');
    socket.terminate();
    t.is((await ask(publicSocket, `/p/${idOf('b')}/`)).status, 404);

    // nginx logs a request after it has answered.
    const log = await until('the access log', async () => {
      const written = await readFile(join(directory, 'access.log'), 'utf8');
      return written.includes('GET /api/x') && written;
    });
    t.false(log.includes(A));
  });

  test.serial(`rules of the server guard sessions, starting ones too [${line}]`, async (t) => {
    const rules = `auth_request /login; location = /login { if ($cookie_user = "") { return 401; } return 204; }`;
    const { publicSocket, admin } = await startOperator(t, line, (text) =>
      text.replace('server_name', `${rules} server_name`),
    );
    const app = await startBackend('A');
    t.teardown(() => app.stop());
    const status = async (headers = {}) => (await ask(publicSocket, `/p/${A}/`, { headers })).status;

    await admin.put(A, 'starting');
    const held = [status(), status({ cookie: 'user=1' })];
    await admin.put(A, 'ready', app.address);
    t.deepEqual(await Promise.all(held), [401, 200]);
    t.deepEqual([await status(), await status({ cookie: 'user=1' })], [401, 200]);
    t.is(app.seen.length, 2);
  });
}

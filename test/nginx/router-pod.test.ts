/** nginx/router-pod.conf as it is, but for places; how old a connection is, a header says. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { buildBundle } from '../../scripts/build.ts';
import { type NginxLine, nginxFor } from '../../scripts/nginx.ts';
import { renderRouter, writeFiles } from '../../scripts/render.ts';
import { adminAt } from '../support/admin.ts';
import { startBackend } from '../support/backend.ts';
import { ask } from '../support/http.ts';
import { endNginx, startNginx } from '../support/nginx.ts';
import { idOf } from '../support/stacks.ts';

const TEMPLATE = join(import.meta.dirname, '..', '..', 'nginx', 'router-pod.conf');
const A = idOf('a');

async function startRouterPod(t: ExecutionContext, line: NginxLine) {
  const directory = await mkdtemp(join(tmpdir(), 'spawner-router-pod-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const at = (name: string) => join(directory, name);
  const { bin, module } = nginxFor(line);
  await buildBundle(at('spawner.js'));
  await writeFiles(
    directory,
    renderRouter({ jsPath: at('spawner.js'), adminListen: `unix:${at('admin.sock')}` }),
  );
  const places: [string, string][] = [
    ['{{module}}', module === null ? '' : `load_module "${module}";`],
    ['{{workers}}', process.getuid?.() === 0 ? '1; user root' : '1'],
    ['error_log stderr', `error_log "${at('error.log')}"`],
    ['{{publicListen}}', `unix:${at('public.sock')}`],
    ['{{drainListen}}', `unix:${at('drain.sock')}`],
    ['/usr/share/spawner', directory],
    ['{{directory}}', directory],
    ['$connection_time', '$http_x_age'],
  ];
  let text = await readFile(TEMPLATE, 'utf8');
  for (const [written, here] of places) {
    t.true(text.includes(written), written);
    text = text.replaceAll(written, here);
  }
  await writeFile(at('nginx.conf'), text);

  const admin = adminAt(at('admin.sock'));
  const ready = () =>
    admin.call('GET', '/v1/health').then(
      () => true,
      () => false,
    );
  const nginx = await startNginx(bin, directory, at('error.log'), ready);
  t.teardown(async () => {
    if (!t.passed) t.log(await readFile(at('error.log'), 'utf8'));
    await endNginx(nginx);
  });
  return { admin, publicSocket: at('public.sock') };
}

for (const line of ['stable', 'current'] as const) {
  test(`by a connection older than four minutes nobody is led anywhere [${line}]`, async (t) => {
    const { admin, publicSocket } = await startRouterPod(t, line);
    const app = await startBackend('A');
    t.teardown(() => app.stop());
    await admin.put(A, 'ready', app.address);
    await admin.fill();
    const path = `/p/${A}/a%2fb//c?d=%20&e`;
    const after = (age: string, target = path) =>
      ask(publicSocket, target, { method: 'POST', body: 'x', headers: { 'x-age': age } });

    for (const age of ['0.000', '9.123', '60.240', '199.999', '239.999']) {
      t.is((await after(age)).status, 200, age);
    }
    const seen = app.seen.length;
    for (const age of ['240.000', '299.999', '300.000', '999.001', '1000.000', '86400.500']) {
      const { status, headers } = await after(age);
      t.deepEqual([status, headers.location], [307, path], age);
    }
    t.is(app.seen.length, seen);
    t.is((await after('240.000', '//example.com/p/')).status, 404, 'nobody is led to another host');
  });
}

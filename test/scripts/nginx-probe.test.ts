import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { nginxFor, root } from '../../scripts/nginx.ts';
import { probeNginx } from '../../scripts/nginx-probe.ts';

for (const line of ['current', 'stable'] as const) {
  test(`the ${line} nginx runs with the module that is named, and finds an unpacked one`, async (t) => {
    const nginx = nginxFor(line);
    if (nginx.bin.startsWith(root)) t.deepEqual(await probeNginx(nginx.bin), nginx);
    t.deepEqual(await probeNginx(nginx.bin, nginx.module ?? undefined), nginx);
  });
}

test('what is no nginx is said to be none', async (t) => {
  for (const bin of ['/bin/true', '/nowhere/nginx']) {
    await t.throwsAsync(probeNginx(bin), { message: `${bin} is no nginx that runs on this machine` });
  }
});

test("a module of another nginx is refused with nginx' own reason", async (t) => {
  const { bin } = nginxFor('current');
  const module = nginxFor('stable').module as string;
  const reason =
    /can't run njs: module "\S+" version 1\d+ instead of 1\d+.*; name the js module .* in NGINX_JS_MODULE$/;
  await t.throwsAsync(probeNginx(bin, module), { message: reason });
});

test('an njs that is too old is refused with both versions', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'spawner-old-nginx-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const bin = join(folder, 'nginx');
  // No such nginx can be had any more; this one behaves like it as far as the probe looks.
  const program = `#!${process.execPath}
    if (process.argv.includes('-V')) console.error('nginx version: nginx/1.22.1');
    else require('http').createServer((_, response) => response.end('0.8.4')).listen('probe.sock');
  `;
  await writeFile(bin, program);
  await chmod(bin, 0o755);
  await t.throwsAsync(probeNginx(bin), {
    message: `${bin} (nginx 1.22.1) has njs 0.8.4, but 0.8.5 or newer is needed`,
  });
});

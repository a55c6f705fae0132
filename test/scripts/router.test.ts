import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { root } from '../../scripts/nginx.ts';

for (const [flags, says] of [
  [['--out', '/nowhere/with space'], /^router: --out: "\/nowhere\/with space.*" is not an absolute path/],
  [['--admin-listen', 'nonsense'], /^router: --admin-listen: "nonsense" is not ip:port, or unix:/],
  [['--admin-listen', '127.0.0.1:1'], /^router: --admin-token is missing/],
  [['--out', '/etc/passwd/x'], /^router: --out: nothing can be written to \/etc\/passwd\/x \(ENOTDIR\)/],
  [['--out', '/proc/nope'], /^router: --out: nothing can be written to \/proc\/nope \(ENOENT\)/],
  [['--hold-max', '0'], /^error: option '--hold-max <count>'/],
] as const) {
  test(`${flags.join(' ')} is refused in one line that names the flag`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'spawner-router-test-'));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const out = join(folder, 'out');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'scripts', 'router.ts'), '--out', out, ...flags],
      { encoding: 'utf8', timeout: 60_000 },
    );
    t.is(status, 2);
    t.is(stdout, '');
    t.regex(stderr, says);
    t.is(stderr.trimEnd().split('\n').length, 1, stderr);
    t.false(existsSync(out));
  });
}

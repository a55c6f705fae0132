import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { nginxFor, root } from '../../scripts/nginx.ts';

test('the nginx that NGINX_BIN names is taken, for its line and for npm start', async (t) => {
  const checkout = await scratch(t);
  const nginx = nginxFor('stable');
  const { status, stdout } = await setUp(checkout, { NGINX_BIN: nginx.bin });
  t.is(status, 0);
  t.is(stdout, '', 'nothing was brought, so there is nothing to say');
  const records = join(checkout, '.cache', 'nginx');
  t.deepEqual((await readdir(records)).toSorted(), ['default.json', 'stable.json']);
  for (const file of await readdir(records)) {
    t.deepEqual(JSON.parse(await readFile(join(records, file), 'utf8')), nginx);
  }
});

test('an NGINX_BIN that can not be used is an error, and no other is taken', async (t) => {
  const checkout = await scratch(t);
  const { status, stderr } = await setUp(checkout, { NGINX_BIN: '/bin/true' });
  t.is(status, 1);
  t.is(stderr, 'setup: NGINX_BIN: /bin/true is no nginx that runs on this machine\n');
  t.false((await readdir(checkout)).includes('.cache'));
});

test('an NGINX_BIN without a slash is looked up in PATH', async (t) => {
  const checkout = await scratch(t);
  const bin = join(checkout, 'bin');
  await mkdir(bin);
  const script = `#!/bin/sh\nexec ${nginxFor('stable').bin} "$@"\n`;
  await writeFile(join(bin, 'my-nginx'), script, { mode: 0o755 });
  const env = { NGINX_JS_MODULE: nginxFor('stable').module ?? '' };
  const found = await setUp(checkout, { ...env, NGINX_BIN: 'my-nginx', PATH: `${bin}:${process.env.PATH}` });
  t.is(found.stderr, '');
  const missing = await setUp(checkout, { ...env, NGINX_BIN: 'my-nginx' });
  t.is(missing.stderr, 'setup: NGINX_BIN: there is no program my-nginx in PATH\n');
});

test('an unpacked nginx that can not be used is not replaced, and TMPDIR plays no part', async (t) => {
  const checkout = await scratch(t);
  const unpacked = join(checkout, '.cache', 'nginx', 'current');
  await mkdir(unpacked, { recursive: true });
  await writeFile(join(unpacked, 'nginx'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  // The machine's own nginx would come first.
  const noNginx = { PATH: `${unpacked}:${process.env.PATH}` };
  const broken = await setUp(checkout, noNginx);
  t.is(broken.status, 1);
  t.is(broken.stdout, '');
  t.regex(broken.stderr, /^setup: .* is no nginx .*; or remove \S+\/current to have it downloaded anew\n$/);

  const { bin, module } = nginxFor('current');
  await writeFile(join(unpacked, 'nginx'), `#!/bin/sh\nexec ${bin} "$@"\n`);
  const modules = join(unpacked, 'root/usr/lib/nginx/modules');
  await mkdir(modules, { recursive: true });
  await symlink(module as string, join(modules, basename(module as string)));
  const working = await setUp(checkout, { ...noNginx, TMPDIR: '/nowhere' });
  t.deepEqual([working.status, working.stdout, working.stderr], [0, '', '']);
});

test('before set-up, it is said how to set up', async (t) => {
  const checkout = await scratch(t);
  await cp(join(root, 'scripts', 'nginx.ts'), join(checkout, 'nginx.ts'));
  const before: { nginxFor: typeof nginxFor } = await import(join(checkout, 'nginx.ts'));
  t.throws(() => before.nginxFor(), { message: 'no nginx is set up here yet: run node scripts/setup.js' });
  t.throws(() => before.nginxFor('stable'), {
    message: /of the stable line .*: run node scripts\/setup\.js --all-lines$/,
  });
});

test('a machine that can not unpack packages is told in one line what to do', async (t) => {
  const folder = await scratch(t);
  const bin = await programs(folder, 'mkdir', 'sed', 'head');
  const unpack = (env: NodeJS.ProcessEnv) => {
    const script = join(root, 'scripts', 'unpack-nginx.sh');
    const { status, stderr } = spawnSync('/bin/bash', [script, 'forky', join(folder, 'nginx')], {
      encoding: 'utf8',
      env,
    });
    t.is(status, 1);
    return stderr;
  };
  t.regex(unpack({ PATH: bin }), /^apt-get is missing, so .* name an nginx in NGINX_BIN\n$/);

  await stub(bin, 'apt-get', 'exit 0');
  await stub(bin, 'dpkg-deb', 'exit 0');
  t.regex(unpack({ PATH: bin }), /^apt knows no Debian mirror: set DEBIAN_MIRROR .*\n$/);
});

/** Runs the scripts from a checkout of their own, so that it keeps its own records. */
async function setUp(checkout: string, env: NodeJS.ProcessEnv) {
  const scripts = [
    'nginx.ts',
    'nginx-probe.ts',
    'nginx-setup.ts',
    'nginx-version.ts',
    'unpack-nginx.sh',
    'debian.sh',
  ];
  for (const file of scripts) await cp(join(root, 'scripts', file), join(checkout, 'scripts', file));
  return spawnSync(process.execPath, [join(checkout, 'scripts', 'nginx-setup.ts')], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  });
}

async function scratch(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spawner-setup-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder for PATH that holds nothing but these programs of the machine. */
async function programs(folder: string, ...names: string[]): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  for (const name of names) {
    const path = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
    await symlink(path, join(bin, name));
  }
  return bin;
}

async function stub(bin: string, name: string, script: string): Promise<void> {
  await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(bin, name), 0o755);
}

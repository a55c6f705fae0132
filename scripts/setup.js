// Set-up for npm's scripts: packages, nginx with njs, the router's build; each only when needed.
//   node scripts/setup.js [--all-lines | --no-nginx]      --all-lines: every nginx line that the tests run on
// Plain JavaScript on built-in modules, because it runs before there are packages, on the machine's own Node.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkTmpdir } from './tmpdir.js';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const bin = resolve('node_modules', '.bin');
const node = join(bin, 'node');
const packageLock = 'package-lock.json';
/** The hash of the package-lock.json that node_modules was installed from. */
const installedLock = join('node_modules', '.package-lock.sha256');

const flags = process.argv.slice(2);

try {
  checkTmpdir();
  mkdirSync('.cache', { recursive: true });
  takeLock();
  if (!packagesAreInstalled()) await installPackages();
  if (!flags.includes('--no-nginx'))
    await run(node, [join('scripts', 'nginx-setup.ts'), ...flags], 'inherit');
  await buildRouter();
} catch (error) {
  if (error.message) console.error(`setup: ${error.message}`);
  process.exit(1);
}

/** One set-up at a time in a folder: the kernel frees the lock with this process, however it ends. */
function takeLock() {
  const fd = openSync(join('.cache', 'setup.lock'), 'w');
  const flock = (...options) =>
    spawnSync('flock', [...options, '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  const first = flock('--nonblock');
  if (first.error) throw new Error('the program flock is missing: install util-linux');
  if (first.status === 0) return;
  console.log('setup: waiting for another set-up in this folder');
  flock();
}

/** npm's own record in node_modules won't do: `npm install --package-lock-only` changes it, too. */
function packagesAreInstalled() {
  return existsSync(node) && read(installedLock) === sha256([packageLock]);
}

async function installPackages() {
  const log = resolve('.cache', 'npm-ci.log');
  await timed('installing packages', async () => {
    const fd = openSync(log, 'w');
    try {
      await run('npm', ['ci', '--include=dev'], ['ignore', fd, fd]);
    } catch {
      const reason = /^npm error (?!code |errno |syscall )(.*)/m.exec(readFileSync(log, 'utf8'))?.[1];
      throw new Error(`npm ci failed: ${reason ?? 'is npm installed?'} (details: ${log})`);
    } finally {
      closeSync(fd);
    }
    if (!existsSync(node)) {
      throw new Error(
        `npm ci brought no Node 24: its install script must be allowed to run (details: ${log})`,
      );
    }
    writeFileSync(installedLock, sha256([packageLock]));
  });
}

async function buildRouter() {
  const stamp = join('dist', '.inputs.sha256');
  const inputs = sha256([
    ...files('njs'),
    ...files('nginx'),
    'scripts/build.ts',
    'scripts/render.ts',
    packageLock,
  ]);
  if (read(stamp) === inputs) return;
  await timed('building the router', () =>
    run(node, [join('scripts', 'build.ts')], ['ignore', 'ignore', 'inherit']),
  );
  writeFileSync(stamp, inputs);
}

function files(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}

function sha256(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(`${path}\n`).update(readFileSync(path));
  return hash.digest('hex');
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** Runs a program of the machine's, or of node_modules, in the project; rejects without a word when it fails. */
async function run(command, args, stdio) {
  // npm ci takes the packages' programs away while it runs, so nothing may look for `node` among them.
  const path = process.env.PATH.split(delimiter).filter((folder) => folder !== bin);
  const child = spawn(command, args, {
    stdio,
    env: { ...process.env, PATH: path.join(delimiter) },
  });
  await new Promise((done, fail) => {
    child.on('error', () => fail(new Error()));
    child.on('close', (code) => (code === 0 ? done() : fail(new Error())));
  });
}

async function timed(name, work) {
  console.log(`setup: ${name}`);
  const started = performance.now();
  await work();
  console.log(`setup: done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

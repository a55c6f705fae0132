// Set-up for `npm start` and `npm test`: packages, nginx with njs, the router's build; each only when needed.
//   node scripts/setup.js [--all-lines]      --all-lines: every nginx line that the tests run on
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
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const node = join(bin, 'node');

try {
  mkdirSync(join(root, '.cache'), { recursive: true });
  takeLock();
  if (!packagesAreInstalled()) await installPackages();
  await run(node, [join('scripts', 'nginx-setup.ts'), ...process.argv.slice(2)], 'inherit');
  await buildRouter();
} catch (error) {
  if (error.message) console.error(`setup: ${error.message}`);
  process.exit(1);
}

/** One set-up at a time in a folder: the kernel frees the lock with this process, however it ends. */
function takeLock() {
  const fd = openSync(join(root, '.cache', 'setup.lock'), 'w');
  const flock = (...options) =>
    spawnSync('flock', [...options, '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  const first = flock('--nonblock');
  if (first.error) throw new Error('the program flock is missing: install util-linux');
  if (first.status === 0) return;
  console.log('setup: waiting for another set-up in this folder');
  flock();
}

/** Whether npm's own record of what it installed is what package-lock.json asks for. */
function packagesAreInstalled() {
  const wanted = readJson('package-lock.json').packages;
  const installed = readJson(join('node_modules', '.package-lock.json'))?.packages;
  if (!installed || !existsSync(node)) return false;
  const same = (path) =>
    installed[path]?.version === wanted[path].version && installed[path].integrity === wanted[path].integrity;
  return (
    Object.keys(installed).every((path) => path in wanted) &&
    Object.keys(wanted).every(
      (path) => path === '' || same(path) || (!installed[path] && wanted[path].optional),
    )
  );
}

async function installPackages() {
  const log = join(root, '.cache', 'npm-ci.log');
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
    if (existsSync(node)) return;
    throw new Error(`npm ci brought no Node 24: its install script must be allowed to run (details: ${log})`);
  });
}

async function buildRouter() {
  const stamp = join(root, 'dist', '.inputs.sha256');
  const hash = createHash('sha256');
  for (const path of [
    ...files('njs'),
    ...files('nginx'),
    'scripts/build.ts',
    'scripts/render.ts',
    'package-lock.json',
  ]) {
    hash.update(`${path}\n`).update(readFileSync(join(root, path)));
  }
  const inputs = hash.digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return;
  await timed('building the router', () =>
    run(node, [join('scripts', 'build.ts')], ['ignore', 'ignore', 'inherit']),
  );
  writeFileSync(stamp, inputs);
}

function files(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}

/** Runs a program of the machine's, or of node_modules, in the project; rejects without a word when it fails. */
async function run(command, args, stdio) {
  // npm ci takes the packages' programs away while it runs, so nothing may look for `node` among them.
  const path = process.env.PATH.split(delimiter).filter((folder) => folder !== bin);
  const child = spawn(command, args, {
    cwd: root,
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

function readJson(path) {
  const file = join(root, path);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

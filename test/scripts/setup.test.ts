import { spawn, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { root } from '../../scripts/nginx.ts';

test('each step is done once, and again when what it works on has changed', async (t) => {
  const project = await newProject(t);
  const steps = async () => (await setUp(project)).steps;
  t.deepEqual(await steps(), ['installing packages', 'nginx', 'building the router']);
  t.deepEqual(await steps(), ['nginx']);

  await write(project, 'njs/deep/part.ts', '// changed');
  t.deepEqual(await steps(), ['nginx', 'building the router']);
  await rm(join(project, 'dist'), { recursive: true });
  t.deepEqual(await steps(), ['nginx', 'building the router']);

  await addPackage(project, 'other');
  t.deepEqual(await steps(), ['installing packages', 'nginx', 'building the router']);
  await rm(join(project, 'node_modules', '.bin', 'node'));
  t.deepEqual(await steps(), ['installing packages', 'nginx']);
});

test('two at once take turns, and the second finds all done', async (t) => {
  const project = await newProject(t);
  const [one, other] = await Promise.all([setUp(project), setUp(project)]);
  const [first, second] = one.steps.length > other.steps.length ? [one, other] : [other, one];
  t.deepEqual([first.code, second.code], [0, 0]);
  t.deepEqual(first.steps, ['installing packages', 'nginx', 'building the router']);
  t.deepEqual(second.steps, ['waiting for another set-up in this folder', 'nginx']);
});

test('a step that fails is one line, and the steps after it are not tried', async (t) => {
  const project = await newProject(t);
  await write(project, 'package.json', manifest({ ws: '8.0.0' }));
  const { code, steps, stderr } = await setUp(project);
  t.is(code, 1);
  t.deepEqual(steps, ['installing packages']);
  t.regex(stderr, /^setup: npm ci failed: .* \(details: .*\/\.cache\/npm-ci\.log\)\n$/);
});

test('a failure in nginx ends set-up with what nginx said', async (t) => {
  const project = await newProject(t);
  await write(project, 'scripts/nginx-setup.ts', "console.error('setup: no nginx'); process.exit(1);");
  const { code, steps, stderr } = await setUp(project);
  t.is(code, 1);
  t.deepEqual(steps, ['installing packages']);
  t.is(stderr, 'setup: no nginx\n');
});

test('a TMPDIR that is no use is one line that names it, before anything else is done', async (t) => {
  const project = await newProject(t);
  const folder = join(project, 'a blank');
  await mkdir(folder);
  for (const [TMPDIR, problem] of [
    ['/nowhere', /is not a folder/],
    ['/proc', /can't be written to \(\w+\)/],
    [join(project, 'package.json'), /is not a folder/],
    ['tmp', /is not an absolute path/],
    [`/${'x'.repeat(100)}`, /is too long for unix sockets/],
    [folder, /has a blank/],
  ] as const) {
    const { code, steps, stderr } = await setUp(project, { TMPDIR });
    t.deepEqual([code, steps], [1, ['']]);
    t.true(stderr.startsWith(`setup: TMPDIR=${TMPDIR} `), stderr);
    t.regex(stderr, problem);
    t.regex(stderr, /: name another folder in TMPDIR\n$/);
  }
});

test('for what needs no nginx, none is set up', async (t) => {
  const { code, steps } = await setUp(await newProject(t), {}, '--no-nginx');
  t.is(code, 0);
  t.deepEqual(steps, ['installing packages', 'building the router']);
});

/** A project like this one in what set-up looks at; its only package stands for Node 24. */
async function newProject(t: ExecutionContext): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'spawner-setup-test-'));
  t.teardown(() => rm(project, { recursive: true, force: true }));
  for (const file of ['setup.js', 'tmpdir.js']) {
    await cp(join(root, 'scripts', file), join(project, 'scripts', file), { recursive: true });
  }
  await write(project, 'scripts/nginx-setup.ts', "console.log('setup: nginx');");
  await write(project, 'scripts/render.ts', '');
  await write(
    project,
    'scripts/build.ts',
    "import { mkdirSync } from 'fs'; mkdirSync('dist', { recursive: true });",
  );
  await write(project, 'nginx/nginx.conf', '');
  await write(project, 'njs/deep/part.ts', '');
  await write(project, 'package.json', manifest({}));
  await addPackage(project, 'node');
  return project;
}

/** Adds a package whose program of its name is this Node, to package.json and package-lock.json. */
async function addPackage(project: string, name: string): Promise<void> {
  const folder = `packages/${name}`;
  await write(project, `${folder}/package.json`, JSON.stringify({ name, version: '1.0.0', bin: 'node.sh' }));
  await write(project, `${folder}/node.sh`, `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
  spawnSync('npm', ['install', '--package-lock-only', '--offline', `./${folder}`], { cwd: project });
}

function manifest(dependencies: Record<string, string>): string {
  return JSON.stringify({ type: 'module', dependencies });
}

async function write(project: string, path: string, content: string): Promise<void> {
  await mkdir(dirname(join(project, path)), { recursive: true });
  await writeFile(join(project, path), content);
}

/** Runs set-up; `steps` are the lines it printed, but for the times that steps took. */
async function setUp(
  project: string,
  env: NodeJS.ProcessEnv = {},
  ...flags: string[]
): Promise<{ code: number; steps: string[]; stderr: string }> {
  const child = spawn(process.execPath, [join(project, 'scripts', 'setup.js'), ...flags], {
    env: { ...process.env, ...env },
  });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number>((done) => child.once('close', done)),
  ]);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace('setup: ', ''));
  return { code, steps: lines.filter((line) => !/^done in \d+\.\d s$/.test(line)), stderr };
}

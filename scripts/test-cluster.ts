/**
 * `npm run test:cluster [-- files and flags of ava]`: the tests that need a real Kubernetes; prints TAP.
 * Those of test/cluster/api start an API server each. The others run on the cluster that KUBECONFIG names, with
 * images that SPAWNER_TEST_IMAGE_PREFIX leads to; without KUBECONFIG on one of this machine's own, which is built
 * once, started, and always taken down.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from './cluster/build.ts';
import { importImage } from './cluster/images.ts';
import { adminKubeconfig } from './cluster/places.ts';
import { checkCanRun } from './cluster/requirements.ts';
import { down, up } from './cluster/up.ts';
import { buildImages } from './images/images.ts';
import { catchInterrupts } from './interrupts.ts';
import { root } from './nginx.ts';

interface Counts {
  passed: number;
  failed: number;
}

const apiFolder = 'test/cluster/api/';
const say = (line: string) => console.log(`# test:cluster: ${line}`);
const { first: abort } = catchInterrupts();
const isFile = (argument: string) => argument.endsWith('.ts');
const files = process.argv.slice(2).filter(isFile);
const flags = process.argv.slice(2).filter((argument) => !isFile(argument));

async function main(): Promise<boolean> {
  const api = chosen(`${apiFolder}**/*.test.ts`, (file) => file.includes(apiFolder));
  const cluster = chosen('test/cluster/*.test.ts', (file) => !file.includes(apiFolder));
  const counts: Counts = { passed: 0, failed: 0 };
  const runs: boolean[] = [];
  const given = process.env.KUBECONFIG;
  if (given) {
    say(`using the cluster of KUBECONFIG=${given}; what needs no cluster (${apiFolder}) is left out`);
    if (cluster.length > 0) runs.push(await ava(cluster, 1, counts));
  } else {
    if (cluster.length > 0) checkCanRun();
    await timed('the build', () => build(say, abort));
    if (api.length > 0) runs.push(await ava(api, 2, counts));
    if (cluster.length > 0) runs.push(await onOwnCluster(() => ava(cluster, 1, counts)));
  }
  say(`${counts.passed} tests passed, ${counts.failed} failed`);
  return runs.every(Boolean);
}

/** The files given that are of this kind; all of the kind if none was given. */
function chosen(all: string, belongs: (file: string) => boolean): string[] {
  return files.length === 0 ? [all] : files.filter(belongs);
}

async function onOwnCluster(tests: () => Promise<boolean>): Promise<boolean> {
  try {
    await timed('the start of the cluster', () => up(true, abort));
    process.env.KUBECONFIG = adminKubeconfig;
    await timed('the images', async () => {
      const out = join(root, 'dist', 'images');
      for (const { archive } of Object.values(await buildImages({ out, line: 'stable', say })))
        await importImage(archive);
    });
    return await tests();
  } finally {
    await down();
  }
}

/** Whether all tests passed; an interrupt ends them. */
async function ava(patterns: string[], filesAtATime: number, counts: Counts): Promise<boolean> {
  abort.throwIfAborted();
  const concurrency = ['--concurrency', String(filesAtATime)];
  const child = spawn(
    join(root, 'node_modules', '.bin', 'ava'),
    ['--config', 'ava.cluster.config.js', '--tap', ...concurrency, ...flags, ...patterns],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const end = () => child.kill('SIGTERM');
  abort.addEventListener('abort', end);
  createInterface(child.stdout).on('line', (line) => {
    console.log(line);
    counts.passed += Number(/^# pass (\d+)$/.exec(line)?.[1] ?? 0);
    counts.failed += Number(/^# fail (\d+)$/.exec(line)?.[1] ?? 0);
  });
  const [code] = await once(child, 'close');
  abort.removeEventListener('abort', end);
  abort.throwIfAborted();
  return code === 0;
}

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const started = performance.now();
  await work();
  say(`${what} took ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

try {
  if (!(await main())) process.exitCode = 1;
} catch (error) {
  if (!abort.aborted) console.error(`test:cluster: ${error instanceof Error ? error.message : error}`);
  process.exitCode = abort.aborted ? 130 : 1;
}

import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { takeStateFolder } from '../../daemon/state-folder.ts';
import { root } from '../../scripts/nginx.ts';
import { makeScratch, stateDirOf } from '../../scripts/scratch.ts';

test('folders of dead runs are removed, and no others', async (t) => {
  const parent = await newParent(t);
  await mkdir(join(parent, 'spawner-run-nobody'));
  await mkdir(join(parent, 'else'));
  const alive = await makeScratch(parent);
  dead(parent);
  const next = await makeScratch(parent);
  t.deepEqual(
    (await readdir(parent)).toSorted(),
    ['else', 'spawner-run-nobody', basename(alive), basename(next)].toSorted(),
  );
});

test('the folder of a dead run whose daemon still works there stays', async (t) => {
  const parent = await newParent(t);
  const left = dead(parent);
  await takeStateFolder(stateDirOf(left));
  await makeScratch(parent);
  t.true((await readdir(parent)).includes(basename(left)));
});

/** Makes a folder as a run would that is killed at once. */
function dead(parent: string): string {
  const script = `
    import { makeScratch } from ${JSON.stringify(join(root, 'scripts', 'scratch.ts'))};
    console.log(await makeScratch(${JSON.stringify(parent)}));
    process.kill(process.pid, 'SIGKILL');
  `;
  const args = ['--input-type=module', '--eval', script];
  return spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout.trim();
}

async function newParent(t: ExecutionContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'spawner-scratch-test-'));
  t.teardown(() => rm(parent, { recursive: true, force: true }));
  return parent;
}

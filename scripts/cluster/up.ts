import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { identify, isAlive, type ProcessIdentity } from '../../daemon/runtime/process/proc.ts';
import { debianPackages } from '../images/packages.ts';
import { ctr, importImage } from './images.ts';
import { adminKubeconfig, buildFolder, program, runFolder } from './places.ts';

const scripts = join(import.meta.dirname, 'node');
const stateFile = join(runFolder, 'node.json');
const readyWithinMs = 120_000;

/**
 * Starts the cluster and waits until its node takes Pods: 6 to 10 s. One that was killed is cleared away first.
 * @param tied whether it ends with this process, however that ends
 * @throws one line if one is up already or if it does not start
 */
export async function up(tied: boolean, abort: AbortSignal): Promise<void> {
  program('kubelet');
  const unlock = lock();
  try {
    if (await isUp()) {
      throw new Error(
        `a cluster is up already: export KUBECONFIG=${adminKubeconfig}, or npm run cluster -- down`,
      );
    }
    clear();
    try {
      await start(tied, abort);
    } catch (error) {
      await down();
      throw error;
    }
  } finally {
    unlock();
  }
}

/** Ends what `up` started, and nothing else; fine to call when nothing is up. */
export async function down(): Promise<void> {
  if (!existsSync(runFolder)) return;
  const node = readNode();
  while (node && (await isAlive(node))) {
    // All processes of the node are in its pid namespace, and end with it.
    process.kill(node.pid, 'SIGKILL');
    await sleep(20);
  }
  clear();
}

export async function isUp(): Promise<boolean> {
  const node = readNode();
  return node !== undefined && (await isAlive(node));
}

async function start(tied: boolean, abort: AbortSignal): Promise<void> {
  const { root: dns } = await debianPackages('trixie', ['dnsmasq-base'], () => {});
  mkdirSync(runFolder, { recursive: true, mode: 0o700 });
  shell('pki.sh');
  shell('network.sh', 'up');
  const log = openSync(join(runFolder, 'node.log'), 'w');
  const tie = tied ? ['--pdeathsig', 'KILL'] : [];
  const node = spawn('setpriv', [...tie, '--', 'bash', join(scripts, 'enter.sh')], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...environment(), DNS: dns, NODE: process.execPath },
  });
  node.unref();
  writeFileSync(stateFile, JSON.stringify(await identify(node.pid as number)));

  const deadline = performance.now() + readyWithinMs;
  let imported = false;
  const core = clientOf();
  while (!(imported && (await takesPods(core)))) {
    abort.throwIfAborted();
    if (!(await isUp())) throw new Error(`the node ended at its start: ${lastWords()}`);
    if (performance.now() > deadline) throw new Error(`the node was not ready within 120 s: ${lastWords()}`);
    imported ||= await importOwnImages();
    await sleep(100);
  }
}

/** False as long as containerd does not answer yet. */
async function importOwnImages(): Promise<boolean> {
  const answers = await ctr('version').then(
    () => true,
    () => false,
  );
  const folder = join(buildFolder(), 'images');
  if (answers) for (const name of readdirSync(folder)) await importImage(join(folder, name));
  return answers;
}

function clientOf(): CoreV1Api {
  const config = new KubeConfig();
  config.loadFromFile(adminKubeconfig);
  return config.makeApiClient(CoreV1Api);
}

async function takesPods(core: CoreV1Api): Promise<boolean> {
  try {
    const { items } = await core.listNode();
    await core.readNamespacedServiceAccount({ name: 'default', namespace: 'default' });
    return items.some(({ status }) =>
      status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
    );
  } catch {
    return false;
  }
}

/** Removes what is left of a cluster that does not run, also of one that had its folder elsewhere. */
function clear(): void {
  shell('network.sh', 'free');
  shell('network.sh', 'down');
  rmSync(runFolder, { recursive: true, force: true });
}

function shell(script: string, ...args: string[]): void {
  try {
    execFileSync('bash', [join(scripts, script), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: environment(),
    });
  } catch (error) {
    const { stderr } = error as { stderr: Buffer };
    throw new Error(`${script}: ${stderr.toString().trim().split('\n').at(-1)}`);
  }
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, BUILD: buildFolder(), RUN: runFolder };
}

function readNode(): ProcessIdentity | undefined {
  return existsSync(stateFile) ? JSON.parse(readFileSync(stateFile, 'utf8')) : undefined;
}

/** The last line of each log of the node. */
function lastWords(): string {
  const folder = join(runFolder, 'log');
  const logs = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  return [join(runFolder, 'node.log'), ...logs]
    .map((path) => readFileSync(path, 'utf8').trimEnd().split('\n').at(-1))
    .filter(Boolean)
    .join(' | ');
}

/** One `up` at a time; the kernel frees the lock with this process, however it ends. */
function lock(): () => void {
  mkdirSync(dirname(runFolder), { recursive: true });
  const fd = openSync(`${runFolder}.lock`, 'w');
  const taken = spawnSync('flock', ['--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  if (taken.status !== 0) throw new Error('a cluster is being started by another process: wait for it');
  return () => closeSync(fd);
}

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

const recipe = join(import.meta.dirname, 'recipe');
const debian = join(import.meta.dirname, '..', 'debian.sh');

/** Builds outlive the checkout and are shared by all checkouts of this user. */
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'spawner');

/** Where the build of this checkout's recipe lies, once it is complete: another recipe has another folder. */
export function buildFolder(): string {
  const files = [...readdirSync(recipe).map((name) => join(recipe, name)), debian].sort();
  const hash = createHash('sha256').update(process.arch);
  for (const file of files) hash.update(basename(file)).update(readFileSync(file));
  return join(cache, `kubernetes-1.20.2-${hash.digest('hex').slice(0, 12)}`);
}

/** A program of the build: `kube-apiserver`, `kubectl`, `etcd`, …  Throws one line if there is no build yet. */
export function program(name: string): string {
  const path = join(buildFolder(), 'bin', name);
  if (!existsSync(path)) throw new Error('no Kubernetes is built here yet: run npm run cluster -- build');
  return path;
}

/** What belongs to the cluster that is up: keys, logs, disks, and who it is. One a machine. */
export const runFolder: string = join(cache, 'cluster');

/** For whoever administers the cluster that is up. */
export const adminKubeconfig: string = join(runFolder, 'pki', 'admin.kubeconfig');

export const buildScript: string = join(recipe, 'build.sh');

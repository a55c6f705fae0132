import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { runFolder } from './places.ts';

const instead = 'or set KUBECONFIG to a cluster of yours';
const GiB = 2 ** 30;
/** What a build takes until it cleans up behind itself, with a margin. */
const buildGiB = 4;

/** The Debian packages of the programs that a minimal system may lack. */
const packages: Record<string, string> = {
  'apt-get': 'apt',
  'dpkg-deb': 'dpkg',
  patch: 'patch',
  xz: 'xz-utils',
  gcc: 'gcc and libc6-dev',
  flock: 'util-linux',
  ip: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  openssl: 'openssl',
  curl: 'curl',
};

/** Throws one line if Kubernetes can't be built on this machine. */
export function checkCanBuild(): void {
  need('apt-get', 'dpkg-deb', 'patch', 'xz', 'gcc', 'flock');
  const folder = dirname(runFolder);
  mkdirSync(folder, { recursive: true });
  const { bavail, bsize } = statfsSync(folder);
  const free = (bavail * bsize) / GiB;
  if (free < buildGiB) {
    throw new Error(
      `a build needs ${buildGiB} GiB, and ${folder} has ${free.toFixed(1)} free: make room, ${instead}`,
    );
  }
}

/** Throws one line if a node can't run on this machine. */
export function checkCanRun(): void {
  if (process.getuid?.() !== 0)
    throw new Error(`needs root to make network namespaces: run as root, ${instead}`);
  need('ip', 'nsenter', 'unshare', 'setpriv', 'openssl', 'curl', 'flock');
  if (!existsSync('/sys/fs/cgroup/memory')) {
    throw new Error(`needs the memory cgroup of version 1, which this machine does not mount: ${instead}`);
  }
  // Unix sockets lie in it, shell scripts read it, and the node covers these folders with its own.
  if (
    !/^\/[\w./-]{1,80}$/.test(runFolder) ||
    /^\/(etc|opt|var\/lib|var\/log|run|proc|sys)\//.test(runFolder)
  ) {
    throw new Error(
      `can't keep a cluster in ${runFolder}: name another folder in XDG_CACHE_HOME, ${instead}`,
    );
  }
}

function need(...programs: string[]): void {
  for (const name of programs) {
    const { status } = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { stdio: 'ignore' });
    if (status !== 0)
      throw new Error(`the program ${name} is missing: install ${packages[name]}, ${instead}`);
  }
}

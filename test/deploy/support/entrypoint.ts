import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { root } from '../../../scripts/nginx.ts';
import { renderRouter } from '../../../scripts/render.ts';
import { PRIVATE_NETWORKS, type RouterSettings } from '../../../scripts/router-settings.ts';

const TOKEN = '0123456789abcdef';
const CLUSTER = { backends: PRIVATE_NETWORKS, adminListen: '0.0.0.0:9145', adminToken: TOKEN };

/** What the image and the kubelet bring. */
export interface Pod {
  nginxVersion: string;
  /** /etc/resolv.conf. */
  resolv: string;
}
export const POD: Pod = {
  nginxVersion: '1.26.3',
  resolv: `nameserver 10.96.0.10
search spawner.svc.cluster.local svc.cluster.local cluster.local
options ndots:5
`,
};

/** Runs the entrypoint of the image up to where it would start nginx, on folders of the test's own. */
export function run(t: ExecutionContext, env: Record<string, string>, pod = POD) {
  const scratch = mkdtempSync(join(tmpdir(), 'spawner-entrypoint-'));
  t.teardown(() => rmSync(scratch, { recursive: true }));
  const [home, directory] = [join(scratch, 'home'), join(scratch, 'tmp')];
  cpSync(join(root, 'nginx'), home, { recursive: true });
  mkdirSync(directory);
  const nginx = join(scratch, 'nginx');
  writeFileSync(nginx, `#!/bin/sh\necho nginx version: nginx/${pod.nginxVersion} >&2\n`, { mode: 0o755 });
  const resolv = join(scratch, 'resolv.conf');
  writeFileSync(resolv, pod.resolv);
  const scripts = join(root, 'deploy/images/router');
  const script = readFileSync(join(scripts, 'entrypoint.sh'), 'utf8')
    .replace(/^home=.*/m, `home=${home}`)
    .replace(/^nginx=.*/m, `nginx=${nginx}`)
    .replace(/^directory=.*/m, `directory=${directory}`)
    .replace(/^exec .*/m, 'exit 0');
  writeFileSync(join(scratch, 'entrypoint.sh'), script);
  const pool = readFileSync(join(scripts, 'pool.sh'), 'utf8').replace(/^resolv=.*/m, `resolv=${resolv}`);
  writeFileSync(join(home, 'pool.sh'), pool);
  const { status, stderr } = spawnSync('/bin/dash', [join(scratch, 'entrypoint.sh'), 'router'], {
    env: { SPAWNER_ROUTER_TOKEN: TOKEN, ...env },
    encoding: 'utf8',
  });
  const read = (name: string) => {
    const path = join(directory, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  };
  return { status, stderr, home, read };
}

/** The files are those of `scripts/render.ts`, in a cluster. */
export function isSame(
  t: ExecutionContext,
  { home, read }: ReturnType<typeof run>,
  settings: Partial<RouterSettings>,
) {
  for (const [name, text] of Object.entries(
    renderRouter({ ...CLUSTER, jsPath: join(home, 'spawner.js'), ...settings }),
  ))
    t.deepEqual(essence(read(name)), essence(text), name);
  t.notRegex(read('nginx.conf'), /\{\{/);
}

/** Blank lines and where it listens differ. */
function essence(text = ''): string[] {
  return text.split('\n').filter((line) => !/^\s*$|^ *listen /.test(line));
}

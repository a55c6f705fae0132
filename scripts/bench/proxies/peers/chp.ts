import { existsSync, renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../../nginx.ts';
import { freePort, listens, prepared, runProgram, startProgram } from '../program.ts';
import type { Peer, World } from './peer.ts';

const VERSION = '5.3.0';
const folder = join(root, '.cache', 'bench', `configurable-http-proxy-${VERSION}`);

/** JupyterHub's proxy, which looks sessions up in a table that its API fills, too. It is brought here by npm once. */
export async function chp(abort: AbortSignal): Promise<Peer> {
  if (!existsSync(folder)) await install(abort);
  const main = join(folder, 'node_modules', 'configurable-http-proxy', 'bin', 'configurable-http-proxy');
  return {
    name: 'chp',
    title: `configurable-http-proxy ${VERSION} (Node ${process.versions.node})`,
    looksUp: true,
    async start(world) {
      const [port, api] = [await freePort(), await freePort()];
      const addresses = [
        '--ip',
        '127.0.0.1',
        '--port',
        `${port}`,
        '--api-ip',
        '127.0.0.1',
        '--api-port',
        `${api}`,
      ];
      const args = [main, ...addresses, '--no-include-prefix', '--log-level', 'error'];
      const ready = async () => (await listens(port)) && (await listens(api));
      const env = { CONFIGPROXY_AUTH_TOKEN: 'bench', NODE_ENV: 'production' };
      const program = await startProgram('configurable-http-proxy', process.execPath, args, ready, env);
      return { port, ...(await prepared(program, () => fill(api, world))) };
    },
  };
}

async function install(abort: AbortSignal): Promise<void> {
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  const flags = ['--prefix', fresh, '--ignore-scripts', '--no-audit', '--no-fund'];
  await runProgram('npm', 'npm', ['install', ...flags, `configurable-http-proxy@${VERSION}`], { abort });
  renameSync(fresh, folder);
}

async function fill(api: number, { http, webSockets }: World): Promise<void> {
  for (const { id, port } of [...http, ...webSockets]) {
    const answer = await fetch(`http://127.0.0.1:${api}/api/routes/p/${id}`, {
      method: 'POST',
      headers: { authorization: 'token bench' },
      body: JSON.stringify({ target: `http://127.0.0.1:${port}` }),
    });
    if (!answer.ok) throw new Error(`its API answered ${answer.status}`);
  }
}

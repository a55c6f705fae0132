import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { buildFolder, buildScript } from './places.ts';
import { checkCanBuild } from './requirements.ts';

/**
 * Builds Kubernetes if this recipe's build is not there yet: about four minutes on two cores. An abort ends it and
 * leaves nothing. Throws one line that says why it failed.
 */
export async function build(say: (line: string) => void, abort: AbortSignal): Promise<void> {
  const folder = buildFolder();
  if (existsSync(folder)) return;
  checkCanBuild();
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;
  say('building Kubernetes 1.20.2 from its Debian source, once: about 4 minutes');
  // A group of its own: the compiler has to end too.
  const child = spawn('bash', [buildScript, folder], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = () => process.kill(-(child.pid as number), 'SIGTERM');
  abort.addEventListener('abort', end);
  let reason = 'build.sh failed';
  createInterface(child.stdout).on('line', (text) => say(`${text} [${seconds()}]`));
  createInterface(child.stderr).on('line', (text) => {
    reason = text;
  });
  const [code] = await once(child, 'close');
  abort.removeEventListener('abort', end);
  abort.throwIfAborted();
  if (code !== 0) throw new Error(`Kubernetes can't be built: ${reason}`);
  say(`built in ${folder} [${seconds()}]`);
}

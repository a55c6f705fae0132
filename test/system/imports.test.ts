/** What a daemon does not load, it does not hold in memory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { startDaemon } from '../support/daemon.ts';
import { until } from '../support/poll.ts';

const REFUSING = `import { registerHooks } from 'node:module';
registerHooks({
  resolve(specifier, context, next) {
    if (specifier.startsWith('@kubernetes/')) throw new Error('the client of Kubernetes was loaded');
    return next(specifier, context);
  },
});`;

test('a daemon of processes does without the client of Kubernetes', async (t) => {
  const scratch = await mkdtemp(join(tmpdir(), 'spawner-imports-'));
  t.teardown(() => rm(scratch, { recursive: true }));
  const daemon = await startDaemon(
    [
      ...['--application-command', 'exec sleep 600', '--ports', '18100-18101'],
      ...['--router', `unix:${join(scratch, 'none')}`, '--state-dir', join(scratch, 'state')],
    ],
    { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(REFUSING)}` },
  );
  t.teardown(() => daemon.end('SIGKILL'));
  // Without a router it stays so; what it says first is that it is starting.
  await until('its start', async () => (await daemon.api('GET', '/readyz')).body.includes('No router'));
  t.is((await daemon.api('GET', '/healthz')).status, 200);
});

import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { startDaemon } from '../../test/support/daemon.ts';
import { ask } from '../../test/support/http.ts';
import { until } from '../../test/support/poll.ts';
import { reservePorts } from '../../test/support/ports.ts';
import { startRouter } from '../../test/support/router.ts';
import { root } from '../nginx.ts';
import { withClosing } from './closing.ts';
import { initMany, latencyRows, rateRows } from './daemon-inits.ts';
import { percentile } from './percentiles.ts';
import type { Context, Row } from './suite.ts';

const AT_A_TIME = 16;
const SUBJECT = 'process runtime';
const EXAMPLE = `"${process.execPath}" "${join(root, 'examples/app/main.ts')}"`;
/** Takes next to nothing, so that it is the daemon that is measured. */
const LIGHT = 'exec sleep 600';

/** `/init` where sessions are processes of this machine: each starts one. */
export async function measureProcesses(context: Context): Promise<Row[]> {
  const count = context.quick ? 10 : 100;
  context.say(`${SUBJECT}: ${count} sessions of the example app, one after the other`);
  const served: number[] = [];
  const single = await inits(context, EXAMPLE, count, 1, served);
  context.say(`${SUBJECT}: ${count} light sessions, ${AT_A_TIME} at a time`);
  const many = await inits(context, LIGHT, count, AT_A_TIME);
  return [
    ...latencyRows(SUBJECT, single),
    ...[0.5, 0.99].map((part) => ({
      work: '/init until the example app has answered, one after the other',
      ...{ subject: SUBJECT, metric: `p${100 * part}`, unit: 'ms', value: percentile(served, part) },
    })),
    ...rateRows(SUBJECT, AT_A_TIME, many),
  ];
}

/** @param served if given, each session is visited, then ended, and this gets the time until it had answered */
function inits(
  { abort, scratch }: Context,
  command: string,
  count: number,
  atATime: number,
  served?: number[],
) {
  return withClosing(abort, async (onEnd) => {
    const ports = await reservePorts();
    onEnd(ports.release);
    const range = `${ports.first}-${ports.last}`;
    const router = await startRouter({ line: 'current', router: { backends: [`127.0.0.1:${range}`] } });
    onEnd(router.stop);
    const daemon = await startDaemon([
      ...['--router', `unix:${router.adminAddress}`, '--application-command', command, '--ports', range],
      ...[
        '--state-dir',
        await mkdtemp(join(scratch, 'state-')),
        '--idle-timeout',
        '1h',
        '--stop-grace',
        '100ms',
      ],
    ]);
    // With it, it ends its sessions.
    onEnd(() => daemon.end('SIGINT'));
    await until('the daemon to be ready', async () => (await daemon.api('GET', '/readyz')).status === 200);
    let startedAt = performance.now();
    return initMany(daemon, count, atATime, async (id) => {
      if (!served) return;
      await ask(router.publicSocket, `/p/${id}/session`);
      served.push(performance.now() - startedAt);
      await daemon.api('DELETE', `/sessions/${id}`);
      startedAt = performance.now();
    });
  });
}

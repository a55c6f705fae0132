import { setTimeout as sleep } from 'node:timers/promises';
import { startSidecar } from '../../test/support/sidecar.ts';
import { type NginxLine, nginxFor } from '../nginx.ts';
import { withClosing } from './closing.ts';
import { childrenOf, residentBytes } from './process-use.ts';
import { rowOf } from './proxies/figures.ts';
import type { Context, Row } from './suite.ts';

// It looks at the connections of its Pod once a second.
const LOOKS = 5;
const CALLS = 200;

/** The resident memory of a sidecar at work, on each nginx line. */
export async function measureSidecars({ abort, say }: Context): Promise<Row[]> {
  const rows: Row[] = [];
  for (const line of ['current', 'stable'] as const) {
    say(`the sidecar on the ${line} nginx`);
    const megabytes = (await withClosing(abort, (onEnd) => measure(onEnd, line))) / 1024 / 1024;
    const { version } = nginxFor(line);
    const subject = `sidecar, nginx ${version}`;
    rows.push(
      rowOf({ work: 'watch over one session', subject, metric: 'resident', unit: 'MB', values: [megabytes] }),
    );
  }
  return rows;
}

async function measure(onEnd: (close: () => unknown) => void, line: NginxLine): Promise<number> {
  const others = childrenOf(process.pid);
  const sidecar = await startSidecar({ line, engine: undefined, env: { SPAWNER_APPLICATION_PORT: '8080' } });
  onEnd(sidecar.stop);
  const [pid] = childrenOf(process.pid).filter((child) => !others.includes(child));
  for (let call = 0; call < CALLS; call++) {
    await sidecar.call();
    await sleep((LOOKS * 1_000) / CALLS);
  }
  return residentBytes(pid as number);
}

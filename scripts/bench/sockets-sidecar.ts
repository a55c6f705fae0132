import { type NginxLine, nginxFor } from '../nginx.ts';
import { startChild } from './child.ts';
import { withClosing } from './closing.ts';
import type { SidecarMemory } from './sockets-pod.ts';
import type { Context, Row } from './suite.ts';

// Who is not root may make a network namespace only as root of a user namespace.
const OWN_NETWORK = ['unshare', '--net', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];

export const RESIDENT = 'resident';

/** The memory of a sidecar at work, on each nginx line, with a network of its own as in a Pod. */
export async function measureSidecars({ abort, say }: Context): Promise<Row[]> {
  const rows: Row[] = [];
  for (const line of ['current', 'stable'] as const) {
    const subject = `sidecar, nginx ${nginxFor(line).version}`;
    say(subject);
    const memory = await withClosing(abort, (onEnd) =>
      startChild<NginxLine, SidecarMemory>(onEnd, 'sockets-pod.ts', OWN_NETWORK).ask(line),
    );
    const row = (metric: string, bytes: number): Row => {
      return { work: 'watch over one session', subject, metric, unit: 'MB', value: bytes / 1024 / 1024 };
    };
    rows.push(
      row(RESIDENT, memory.resident),
      row('resident, shared pages divided (PSS)', memory.proportional),
      row('of it neither program nor library', memory.own),
    );
  }
  return rows;
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { debianProgram } from '../debian.ts';
import { runProgram } from '../program.ts';
import type { Session } from '../visited.ts';

const script = join(import.meta.dirname, 'wrk.lua');
const summarySchema = z.object({ requests: z.number(), microseconds: z.number(), failed: z.number() });

/** What to ask a proxy for. */
export interface Visits {
  /** All kept alive. */
  connections: number;
  port: number;
  /** A file with an id of a session a line; they are visited in random order. */
  idsFile: string;
  /** What follows `/p/<id>/`. */
  path: string;
  /** Of a body to POST; 0 is a GET. */
  bodyBytes: number;
}

/** Visits as fast as the proxy answers. Throws if a single answer is missing or no success. */
export async function visit(
  { connections, port, idsFile, path, bodyBytes }: Visits,
  { milliseconds, abort }: { milliseconds: number; abort: AbortSignal },
): Promise<{ requests: number; seconds: number }> {
  const [program, ...words] = (await debianProgram('wrk')).command;
  const output = await runProgram(
    'wrk',
    program,
    [
      ...words,
      ...['--threads', '1', '--connections', String(connections), '--duration', '1h', '--timeout', '10s'],
      ...['--script', script, `http://127.0.0.1:${port}/`, '--', idsFile, path, String(bodyBytes)],
    ],
    // Its durations are whole seconds; but it says what it saw when it is interrupted, too.
    { abort, milliseconds },
  );
  const { requests, microseconds, failed } = summarySchema.parse(
    JSON.parse(output.trimEnd().split('\n').at(-1) ?? ''),
  );
  if (failed > 0 || requests === 0) throw new Error(`${failed} of ${requests + failed} requests failed`);
  return { requests, seconds: microseconds / 1e6 };
}

/** For `Visits.idsFile`. */
export async function writeIds(path: string, sessions: Session[]): Promise<void> {
  await writeFile(path, sessions.map(({ id }) => `${id}\n`).join(''));
}

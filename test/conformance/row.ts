import type { Mode } from '../../daemon/public-url.ts';
import type { Stack } from '../support/router.ts';
import type { Case } from './case.ts';

export const MODES: Mode[] = ['path', 'path-kept', 'host'];

export const GROUPS = [
  'Request target',
  'Who is asked',
  'Responses',
  'Forwarding',
  'WebSocket',
  'Streaming',
  'HTTP/2 and HTTP/1.0',
  'Errors',
  'Safety',
] as const;

/**
 * One line of the conformance table. What `see` saw must equal `expected` to the letter.
 *
 * These words stand for what differs: `<A>`, `<B>` for ids of sessions, `<A backend>` for an app's `ip:port`,
 * `<host>` for the public host of session A, `<prefix>` for where browsers see its root (`/p/<A>` or nothing) and
 * `<base>` for what its app sees of that (`/p/<A>` where the prefix is kept, else nothing).
 */
export interface Row {
  id: string;
  group: (typeof GROUPS)[number];
  /** What holds, for a reader who knows HTTP. */
  says: string;
  see(c: Case): Promise<string>;
  /** In which modes the row means something, if not in all. */
  modes?: Mode[];
  expected: string | { [mode in Mode]?: string };
  limits?: Limit[];
}

/** Where nginx itself keeps a row from being what one would wish: what is seen there instead. */
export interface Limit {
  on: Partial<Stack> & { mode?: Mode };
  sees: string;
  because: string;
}

/** What must be seen, with the words that depend on the mode alone put in; undefined where the row has no meaning. */
export function expectedOf(row: Row, mode: Mode, stack: Stack): string | undefined {
  if (row.modes && !row.modes.includes(mode)) return undefined;
  const limit = limitOf(row, mode, stack);
  const text = limit?.sees ?? (typeof row.expected === 'string' ? row.expected : row.expected[mode]);
  return text
    ?.replaceAll('<prefix>', mode === 'host' ? '' : '/p/<A>')
    .replaceAll('<base>', mode === 'path-kept' ? '/p/<A>' : '');
}

export function limitOf({ limits = [] }: Row, mode: Mode, stack: Stack): Limit | undefined {
  const here = { mode, ...stack };
  return limits.find(({ on }) =>
    Object.entries(on).every(([name, value]) => here[name as keyof typeof here] === value),
  );
}

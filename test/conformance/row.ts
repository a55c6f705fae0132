import type { Mode } from '../../daemon/public-url.ts';
import type { Stack } from '../support/router.ts';
import type { Case } from './case.ts';

export const MODES: Mode[] = ['path', 'path-kept', 'host'];

/**
 * What a line of the conformance table holds to. What `see` saw must equal `expected` to the letter.
 *
 * These words stand for what differs: `<A>`, `<B>` for ids of sessions, `<A backend>` for an app's `ip:port`,
 * `<host>` for the public host of session A, `<prefix>` for where browsers see its root (`/p/<A>` or nothing) and
 * `<base>` for what its app sees of that (`/p/<A>` where the prefix is kept, else nothing).
 */
export interface Check {
  id: string;
  /** What holds, for a reader who knows HTTP. */
  says: string;
  see(c: Case): Promise<string>;
  /** In which modes it means something, if not in all. */
  modes?: Mode[];
  expected: string | { [mode in Mode]?: string };
  limits?: Limit[];
}

export interface Row extends Check {
  group: string;
}

/** Where nginx itself keeps a row from being what one would wish: what is seen there instead. */
export interface Limit {
  on: Partial<Stack> & { mode?: Mode };
  sees: string;
  because: string;
}

/** What must be seen, with the words that depend on the mode alone put in; undefined where the row has no meaning. */
export function expectedOf(row: Check, mode: Mode, stack: Stack): string | undefined {
  if (row.modes && !row.modes.includes(mode)) return undefined;
  const limit = row.limits?.find(({ on }) => isOn(on, { mode, ...stack }));
  const text = limit?.sees ?? (typeof row.expected === 'string' ? row.expected : row.expected[mode]);
  return text
    ?.replaceAll('<prefix>', mode === 'host' ? '' : '/p/<A>')
    .replaceAll('<base>', mode === 'path-kept' ? '/p/<A>' : '');
}

function isOn({ mode, line, engine }: Limit['on'], here: Required<Limit['on']>): boolean {
  return (
    (mode === undefined || mode === here.mode) &&
    (line === undefined || line === here.line) &&
    (engine === undefined || engine === here.engine)
  );
}

/** docs/conformance.md as a text. Pure. */
import type { Mode } from '../daemon/public-url.ts';
import { expectedOf, type Limit, MODES, type Row } from '../test/conformance/row.ts';
import { ALL_STACKS, type Stack } from '../test/support/router.ts';

/** What became of all rows in one mode on one nginx. */
export interface Run {
  mode: Mode;
  stack: Stack;
  /** Such as `1.30.6`. */
  nginx: string;
  passed: number;
  failed: { row: Row; seen: string; expected: string }[];
  fuzzed: { requests: number; served: number };
}

const NAMES: { [mode in Mode]: string } = { path: 'path', 'path-kept': 'prefix kept', host: 'host' };
/** The part of the page that no other run has to repeat. */
const RUN = /(?<=^<!-- run -->\n).*(?=^<!-- \/run -->$)/ms;

/** The page of a run. */
export function pageOf(rows: Row[], runs: Run[]): string {
  return page(rows, runText(runs), (row, mode) =>
    runs.some((run) => run.mode === mode && run.failed.some((failure) => failure.row === row)),
  );
}

/** The page as it must be when all rows pass; of the run it says what the page says that there is. */
export function pageWithout(rows: Row[], existing: string): string {
  return page(rows, RUN.exec(existing)?.[0] ?? '', () => false);
}

function page(rows: Row[], run: string, hasFailed: (row: Row, mode: Mode) => boolean): string {
  const limits = [...new Set(rows.flatMap(({ limits = [] }) => limits.map(({ because }) => because)))];
  const groups = [...new Set(rows.map(({ group }) => group))];
  const tables = groups.map((group) => {
    const lines = rows.filter((row) => row.group === group).map((row) => line(row, limits, hasFailed));
    return `## ${group}\n\n| what holds | what is seen | ${MODES.map((mode) => NAMES[mode]).join(' | ')} |\n|---|---|---|---|---|\n${lines.join('\n')}\n`;
  });
  return `# What an app behind the router may rely on

Each line is a test ([test/conformance](../test/conformance/table.ts)) that talks to a real nginx and to an app, both on raw sockets, and compares what it sees to the letter. \`npm test\` runs all of them in every mode on nginx of both lines. \`npm run conformance\` does so under the younger engine of njs, too, and writes this page; it is not edited by hand.

Modes: *path* (\`https://host/p/<id>/…\`, the app gets what follows the prefix), *prefix kept* (the app gets all of it) and *host* (\`https://<id>.apps.example.com/…\`).

Words: \`<A>\`, \`<B>\` are ids of sessions, \`<A backend>\` is the address of A’s app, \`<host>\` its public host. \`<prefix>\` is where browsers see its root (\`/p/<A>\`; nothing in mode host), and \`<base>\` what the app sees of that (\`/p/<A>\` where the prefix is kept, else nothing). Bytes from 128 on are shown as Latin-1.

✓ it is so on every nginx; a number: not everywhere, see [limits](#limits); – it has no meaning in this mode.

<!-- run -->
${run}<!-- /run -->

${tables.join('\n')}
## Limits

What nginx itself does otherwise. The table asserts what is seen there, too, so that a change is noticed.

${limits.map((because, index) => `${index + 1}. ${because.charAt(0).toUpperCase()}${because.slice(1)}.${rows.flatMap((row) => placesOf(row, because)).join('')}`).join('\n')}
`;
}

/** Where a limit is met, and what is seen there. */
function placesOf(row: Row, because: string): string {
  const here = (row.limits ?? []).filter((limit) => limit.because === because);
  const places = here.map(({ on, sees }) => `${placeOf(on)}${code(sees)}`);
  return places.length === 0 ? '' : `\n   - ${row.says}: ${places.join(', ')}`;
}

function placeOf({ mode, line, engine }: Limit['on']): string {
  const words = [
    ...(line === undefined ? [] : [line === 'stable' ? 'nginx 1.26' : 'nginx 1.30']),
    ...(engine === undefined ? [] : [engine]),
    ...(mode === undefined ? [] : [NAMES[mode]]),
  ];
  return words.length === 0 ? '' : `${words.join(', ')}: `;
}

function line(row: Row, limits: string[], hasFailed: (row: Row, mode: Mode) => boolean): string {
  const marks = MODES.map((mode) => {
    const isMeant = ALL_STACKS.some((stack) => expectedOf(row, mode, stack) !== undefined);
    if (!isMeant) return '–';
    if (hasFailed(row, mode)) return '✗';
    const met = (row.limits ?? []).filter(({ on }) => on.mode === undefined || on.mode === mode);
    return met.length === 0 ? '✓' : met.map(({ because }) => limits.indexOf(because) + 1).join(', ');
  });
  return `| ${escaped(row.says)} | ${escaped(seen(row))} | ${marks.join(' | ')} |`;
}

function seen({ expected }: Row): string {
  if (typeof expected === 'string') return code(expected);
  const texts = [...new Set(Object.values(expected))];
  return texts
    .map((text) => {
      const modes = MODES.filter((mode) => expected[mode] === text);
      return `${modes.map((mode) => NAMES[mode]).join(', ')}: ${code(text)}`;
    })
    .join('<br>');
}

/** Backticks around what may itself have some. */
function code(text: string): string {
  const short = text.length > 160 ? `${text.slice(0, 120)}… (${text.length} characters)` : text;
  return short.includes('`') ? `\`\` ${short} \`\`` : `\`${short}\``;
}

function escaped(text: string): string {
  return text.replace(/\|/g, '\\|');
}

function runText(runs: Run[]): string {
  const stacks = ALL_STACKS.map(({ line, engine }) => {
    const run = runs.find(({ stack }) => stack.line === line && stack.engine === engine);
    return `nginx ${run?.nginx ?? '?'}, ${engine ?? 'njs'}`;
  });
  const lines = MODES.map((mode) => {
    const cells = runs
      .filter((run) => run.mode === mode)
      .map(({ passed, failed, fuzzed }) => {
        const rows = passed + failed.length;
        return `${passed} of ${rows}; ${number(fuzzed.requests)} (${number(fuzzed.served)} served)`;
      });
    return `| ${NAMES[mode]} | ${cells.join(' | ')} |`;
  });
  const failures = runs.flatMap(({ mode, stack, failed }) =>
    failed.map(
      ({ row, seen: got, expected }) =>
        `- ${NAMES[mode]}, ${stack.line}, ${stack.engine ?? 'njs'}: ${row.says}: ${code(got)} instead of ${code(expected)}`,
    ),
  );
  return `The last run: rows that passed; generated requests of which none may reach any session but the one that it names (test/conformance/fuzz.ts).

| mode | ${stacks.join(' | ')} |
|---|${stacks.map(() => '---|').join('')}
${lines.join('\n')}

${failures.length === 0 ? 'Nothing failed.' : `What failed:\n\n${failures.join('\n')}`}
`;
}

function number(count: number): string {
  return count.toLocaleString('en');
}

import type { Case } from './case.ts';
import type { Check } from './row.ts';

/** What the app's answer headers become. `{path, …}` where modes differ; a text where they do not. */
export type Becomes = Check['expected'];

export const prefixed = (rest: string): Becomes => ({
  path: `<prefix>${rest}`,
  'path-kept': rest,
  host: rest,
});

/** Answers with these header lines; returns the answer's lines of the same names. */
export async function seeHeaders(
  c: Case,
  status: string,
  lines: string[],
  rest = '/dir/page',
): Promise<string> {
  const session = await c.session((visit) => {
    const port = session.address.slice(session.address.indexOf(':') + 1);
    const filled = lines.map((line) =>
      line
        .replaceAll('<A backend>', session.address)
        .replaceAll('<port>', port)
        .replaceAll('<host>', session.host)
        .replaceAll('<A>', session.id)
        .replaceAll('<B>', 'b'.repeat(26)),
    );
    visit.end([`HTTP/1.1 ${status}`, ...filled, 'Content-Length: 0', '', ''].join('\r\n'));
  });
  const reply = await session.get(rest);
  const names = [...new Set(lines.map((line) => line.slice(0, line.indexOf(':'))))];
  return names.map((name) => reply.header(name) ?? '(none)').join(', ');
}

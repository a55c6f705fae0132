import type { Case } from './case.ts';
import type { Flavour } from './router.ts';

/** The app's view of some headers, of a GET with these lines. Absent ones are `-`. */
export async function told(
  c: Case,
  names: string[],
  lines: string[] = [],
  flavour?: Flavour,
): Promise<string> {
  const session = await c.session(undefined, flavour);
  await session.get('/', lines);
  const visit = session.visits[0];
  return names.map((name) => visit?.header(name) ?? '-').join(', ');
}

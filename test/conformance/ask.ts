import type { Case } from './case.ts';

/** Sends a target as it is; says who was asked for what, or the answer's status and code. */
export async function askFor(c: Case, template: string): Promise<string> {
  const [a, b] = [await c.session(), await c.session()];
  const target = template.replaceAll('<A>', a.id).replaceAll('<B>', b.id);
  const client = a.dial();
  client.send(`GET ${target} HTTP/1.1\r\nHost: ${a.host}\r\nConnection: close\r\n\r\n`);
  const reply = await client.reply();
  const visits = [...a.visits.map(({ line }) => `A: ${line}`), ...b.visits.map(({ line }) => `B: ${line}`)];
  return visits.join(', ') || `nobody: ${reply?.status} ${codeOf(reply?.body)}`.trim();
}

/** The `code` of one of the router's own answers. */
export function codeOf(body = ''): string {
  return /"code":"(\w+)"/.exec(body)?.[1] ?? '';
}

import type { Mode } from '../../daemon/public-url.ts';

/** A request that a stream of bytes holds, as somebody reads it who has never seen the router. */
export interface Meant {
  /** What its X-Case headers say. */
  marker: string;
  /** Of whom the request speaks; undefined if that is nobody, or can't be said. */
  id: string | undefined;
  /** The target that the app gets. */
  target: string;
}

/** Reads what one connection sends, by RFC 9112 alone. None of the requests is expected to have a body. */
export function readStream(text: string, mode: Mode): Meant[] {
  const meant: Meant[] = [];
  let lines: string[] = [];
  for (const ended of text.split('\n').slice(0, -1)) {
    const line = ended.endsWith('\r') ? ended.slice(0, -1) : ended;
    if (line !== '') lines.push(line);
    else if (lines.length > 0) {
      meant.push(readRequest(lines, mode));
      lines = [];
    }
  }
  return meant;
}

function readRequest([line = '', ...headers]: string[], mode: Mode): Meant {
  const values = (name: string) =>
    headers
      .filter((text) => text.toLowerCase().startsWith(`${name}:`))
      .map((text) => text.slice(name.length + 1).trim());
  const marker = values('x-case').join(' | ');
  const nobody = { marker, id: undefined, target: '' };
  const [, target] = /^[A-Z_-]+ +([^ ]+)(?: +HTTP\/1\.\d+ *)?$/.exec(line) ?? [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
  if (target === undefined || /[\x00-\x20\x7f]/.test(target)) return nobody;
  const [, authority, rest] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(.*)$/i.exec(target) ?? [];
  const path = rest === undefined ? target : rest.replace(/^(?!\/)/, '/');
  if (mode === 'host') {
    const id = idOfHosts(
      [...(authority === undefined ? [] : [authority]), ...values('host')],
      values('host').length,
    );
    return path.startsWith('/') ? { marker, id, target: path } : nobody;
  }
  const [, id, stripped = ''] = /^\/p\/([a-z0-9]{26})(\/.*)$/.exec(path) ?? [];
  return { marker, id, target: mode === 'path' ? stripped : path };
}

/** One Host there must be, and all that name a host must name the same one (with or without the dot of DNS's root). */
function idOfHosts(named: string[], hostHeaders: number): string | undefined {
  const ids = named.map((text) => /^([a-z0-9]{26})\.apps\.test\.?(?::\d*)?$/i.exec(text)?.[1]?.toLowerCase());
  return hostHeaders === 1 && ids.every((id) => id === ids[0]) ? ids[0] : undefined;
}

/** How the browser and the app see one request: what the addresses in the app's answer are rewritten by. */
export interface RewriteContext {
  /** `path`: the app is asked for `/…`; `path-kept`: for `/p/<id>/…`; `host`: it has an origin of its own. */
  mode: 'path' | 'path-kept' | 'host';
  /** `/p/<id>`; '' in mode `host`. */
  prefix: string;
  /** `http` or `https`, as the browser sees it. */
  scheme: string;
  /** `host` or `host:port`, as the browser sees it. */
  publicHost: string;
  /** Where the app listens, `ip:port`. */
  backend: string;
  /** The request target that the app saw. */
  rest: string;
}

/** Whether a path without dot segments is the session's own. */
export function isBelowPrefix(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}

/** Whether a text has control characters other than tab: browsers take no such cookie, and njs sets no such header. */
export function hasControls(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return /[\x00-\x08\x0a-\x1f\x7f]/.test(text);
}

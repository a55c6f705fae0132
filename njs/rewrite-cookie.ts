import { hasControls, isBelowPrefix, type RewriteContext } from './rewrite-context.ts';
import { cookieNameOf, isTokenCookie } from './token-cookie.ts';

/**
 * A Set-Cookie line that no other session's browser tab will send; undefined for a cookie that can't be had so
 * narrow. Read as browsers do (https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis, 5.6). Without a
 * Path, or with one that is none, a browser takes the folder of the request, which is the session's.
 */
export function rewriteCookie(line: string, context: RewriteContext): string | undefined {
  const parts = line.split(';');
  const name = cookieNameOf(parts[0] as string);
  const wide = context.mode !== 'host' && name.startsWith('__host-'); // It has to have the path `/`.
  if (wide || isTokenCookie(name) || hasControls(line)) {
    return undefined;
  }
  return parts
    .filter((part, i) => i === 0 || !/^\s*domain\s*(?:=|$)/i.test(part))
    .map((part, i) => (i === 0 || context.mode === 'host' ? part : narrowed(part, context)))
    .join(';');
}

/** All paths, though the last one counts: browsers pass over one that is too long. Some programs drop quotes. */
function narrowed(attribute: string, context: RewriteContext): string {
  const parts = /^(\s*path\s*=[\s"]*)(\/[\s\S]*?)([\s"]*)$/i.exec(attribute);
  if (parts === null || isBelowPrefix(parts[2] as string, context.prefix)) {
    return attribute;
  }
  return parts[1] + context.prefix + (context.mode === 'path' ? parts[2] : '/') + parts[3];
}

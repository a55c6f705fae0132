import type { RewriteContext } from './rewrite-context.ts';
import { rewriteUrl } from './rewrite-url.ts';

/**
 * `5; url=/x` and all that browsers take for it
 * (https://html.spec.whatwg.org/multipage/semantics.html#shared-declarative-refresh-steps): a comma, a blank or
 * nothing else before the URL, `url=` or not, quotes or not.
 */
export function rewriteRefresh(value: string, context: RewriteContext): string {
  const parts =
    /^([ \t]*(?:\d|(?=\.))[\d.]*(?:[ \t]*[;,]|[ \t])[ \t]*(?:url[ \t]*=[ \t]*)?)(["']?)([\s\S]*)$/i.exec(
      value,
    );
  if (parts === null) {
    return value;
  }
  const quote = parts[2] as string;
  const rest = parts[3] as string;
  const end = quote === '' ? -1 : rest.indexOf(quote);
  const url = end < 0 ? rest : rest.slice(0, end);
  return parts[1] + quote + rewriteUrl(url, context) + rest.slice(url.length);
}

/** Every `<target>` and `anchor` (RFC 8288); other parameters as they are, whatever is quoted in them. */
export function rewriteLink(value: string, context: RewriteContext): string {
  return value.replace(
    /<([^>]*)>|(;\s*anchor\s*=\s*)("[^"]*"|[^\s;,"]*)|"[^"\\]*(?:\\.[^"\\]*)*"/gi,
    (all: string, target: string | undefined, anchor: string | undefined, uri: string | undefined) => {
      if (target !== undefined) {
        return `<${rewriteUrl(target, context)}>`;
      }
      if (anchor === undefined || uri === undefined) {
        return all;
      }
      const quote = uri.startsWith('"') ? '"' : '';
      return anchor + quote + rewriteUrl(uri.slice(quote.length, uri.length - quote.length), context) + quote;
    },
  );
}

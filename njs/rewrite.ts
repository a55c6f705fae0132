import { guarded, report } from './log.ts';
import { byteTexts, isLossy, toBuffer } from './rewrite-bytes.ts';
import { hasControls, type RewriteContext } from './rewrite-context.ts';
import { rewriteCookie } from './rewrite-cookie.ts';
import { rewriteLink, rewriteRefresh } from './rewrite-fields.ts';
import { rewriteUrl } from './rewrite-url.ts';

/** The headers that hold addresses. A rewriter gets one value and returns undefined if it must not be sent. */
const REWRITERS: { [name: string]: (value: string, context: RewriteContext) => string | undefined } = {
  Location: rewriteUrl,
  'Content-Location': rewriteUrl,
  Refresh: rewriteRefresh,
  Link: rewriteLink,
  'Set-Cookie': rewriteCookie,
};

/**
 * For an answer that nginx would pass on as it is. A header filter that throws has nginx close the connection, or the
 * stream of HTTP/2; to change the status would not do, since some such answers are sent without a head.
 */
function refuseUnframed(r: NginxHTTPRequest): never {
  report(
    `an app sent what is no answer (status ${r.status}): the connection is closed`,
    r.variables.request_id,
  );
  throw new Error('no answer');
}

/** Has the addresses in an app's answer mean in the browser what they mean to the app. A header filter. */
export function rewriteHeaders(r: NginxHTTPRequest): void {
  const v = r.variables;
  if (v.spawner_unframed !== '') {
    refuseUnframed(r);
  }
  const context: RewriteContext = {
    mode: v.spawner_mode as RewriteContext['mode'],
    prefix: v.spawner_prefix || '',
    scheme: v.spawner_scheme as string,
    publicHost: v.spawner_public_host || '',
    // An app knows itself by its address; or by what it was told for want of a Host header.
    backend: v.http_host ? lastOf(v.upstream_addr || '') : v.proxy_host || '',
    rest: v.spawner_rest || '',
  };
  const sent = r.rawHeadersOut as unknown as [name: string, value: string][];
  Object.keys(REWRITERS).forEach((name) => {
    const texts = sent.filter((pair) => isNamed(pair[0], name)).map((pair) => pair[1]);
    // If it fails, the header is not sent: it may name the app's inner address, or be a cookie for everybody.
    guarded(
      `rewriting ${name}`,
      r,
      () => rewriteHeader(r, name, texts, context),
      () => {
        delete r.headersOut[name];
      },
    );
  });
}

/** `$upstream_addr` names all that were tried, in turn. */
function lastOf(tried: string): string {
  return tried.slice(tried.lastIndexOf(' ') + 1);
}

function rewriteHeader(r: NginxHTTPRequest, name: string, texts: string[], context: RewriteContext): void {
  const lossy = texts.some(isLossy);
  const values = lossy ? byteTexts(joinedBytes(r, name), texts) : texts;
  const rewrite = REWRITERS[name] as (value: string, context: RewriteContext) => string | undefined;
  const rewritten = values.map((value) => rewrite(value, context));
  if (rewritten.every((value, i) => value === values[i])) {
    return;
  }
  const kept = rewritten.filter((value) => value !== undefined && !hasControls(value)) as string[];
  // njs-types do not know that a header may be set to bytes, too.
  r.headersOut[name] = (lossy ? kept.map(toBuffer) : kept) as string[];
}

function isNamed(name: string, wanted: string): boolean {
  return name.length === wanted.length && name.toLowerCase() === wanted.toLowerCase();
}

function joinedBytes(r: NginxHTTPRequest, name: string): Buffer {
  return r.rawVariables[`sent_http_${name.toLowerCase().replace('-', '_')}`] as Buffer;
}

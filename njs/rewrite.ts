/** Rewrites the headers of an app's answer. */
export function rewriteHeaders(_r: NginxHTTPRequest): void {}

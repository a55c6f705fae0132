/**
 * Whether a browser asks for a page to show (https://www.w3.org/TR/fetch-metadata/), so that a person reads the
 * answer. Scripts, images, `fetch()` and WebSockets are not: they could make nothing of a page.
 */
export function isNavigation(
  method: string | undefined,
  headers: { readonly [name: string]: string | undefined },
): boolean {
  const mode = headers['Sec-Fetch-Mode'];
  const accept = headers.Accept || '';
  return (
    (method === 'GET' || method === 'HEAD') &&
    accept.toLowerCase().includes('text/html') &&
    (mode === undefined || mode === 'navigate' || mode === 'nested-navigate') &&
    headers.Upgrade === undefined
  );
}

import { isIP } from 'node:net';

/** Where browsers reach sessions. Pure; the scripts that set nginx up read it, too. */
export interface PublicUrl {
  /** `path`: sessions share one origin and live below `/p/<id>/`. `host`: each has an origin of its own. */
  form: 'path' | 'host';
  scheme: 'http' | 'https';
  /** `name[:port]`, in lower case and without the scheme's own port; in the form `host`, what follows `{id}.` */
  host: string;
}

/** How routers lead to sessions: with the prefix stripped, with it kept, or by the host's name. */
export type Mode = 'path' | 'path-kept' | 'host';

const PARTS = /^(https?):\/\/(\{id\}\.)?([^/?#@{}\s]+)(\/.*)?$/i;
const HOST = /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:\d+)?$/;
const ID = '{id}';

/** The URL in one of its three forms, or a text that says what is wrong with it. */
export function parsePublicUrl(text: string): PublicUrl | string {
  const [matched, scheme, id, authority, path = '/'] = PARTS.exec(text) ?? [];
  const url = URL.parse(`${scheme}://${authority}`);
  if (matched === undefined || !url || !HOST.test(url.host)) {
    return 'Write https://my-domain.com for sessions at /p/<id>/, or https://{id}.my-domain.com for one host each.';
  }
  if (id !== undefined && path !== '/') return 'It has no path: a session has the whole host.';
  if (id !== undefined && isIP(url.hostname.replace(/[[\]]/g, '')) !== 0) {
    return 'Addresses have no names below them: write a domain after {id}.';
  }
  if (path !== '/' && path !== `/p/${ID}/`) return 'It has no path: sessions live at /p/<id>/ of that host.';
  return {
    form: id === undefined ? 'path' : 'host',
    scheme: url.protocol === 'https:' ? 'https' : 'http',
    host: url.host,
  };
}

export function modeOf({ form }: PublicUrl, keepPrefix: boolean): Mode {
  if (form === 'host') return 'host';
  return keepPrefix ? 'path-kept' : 'path';
}

/** As one would write it: `https://name`, or `https://{id}.name`. */
export function publicUrlText({ form, scheme, host }: PublicUrl): string {
  return `${scheme}://${form === 'host' ? `${ID}.` : ''}${host}`;
}

/** Where the session's own URLs begin: what the browser's address has in front of the app's. */
export function basePath({ form }: PublicUrl, id: string): string {
  return form === 'host' ? '/' : `/p/${id}/`;
}

export function sessionUrl(publicUrl: PublicUrl, id: string): string {
  return publicUrlText(publicUrl).replace(ID, id) + basePath(publicUrl, id);
}

/**
 * A reference to an http or https URL, taken apart as browsers do (https://url.spec.whatwg.org/#url-parsing): `\` is
 * `/`, any number of slashes begins an authority, and blanks around and tabs inside count for nothing.
 */
export interface Reference {
  /** `http:`, `https:`, or '' if it is left to the page. */
  scheme: string;
  /** `user@host:port`; undefined if the reference names none. */
  authority: string | undefined;
  path: string;
  /** Query and fragment. */
  tail: string;
}

/** Undefined for other schemes. `pageScheme` is that of the URL which the reference is resolved against. */
export function parseReference(text: string, pageScheme: string): Reference | undefined {
  const parts = /^(?:([a-z][a-z0-9+.-]*):)?([^?#]*)([\s\S]*)$/i.exec(cleaned(text)) as RegExpExecArray;
  const scheme = (parts[1] || '').toLowerCase();
  if (scheme !== '' && scheme !== 'http' && scheme !== 'https') {
    return undefined;
  }
  const rest = (parts[2] as string).replace(/\\/g, '/');
  const tail = parts[3] as string;
  // `https:x` on an https page is a relative reference, on an http page it names the host x.
  if (!rest.startsWith('//') && (scheme === '' || scheme === pageScheme)) {
    return { scheme: '', authority: undefined, path: rest, tail };
  }
  const named = /^\/*([^/]*)([\s\S]*)$/.exec(rest) as RegExpExecArray;
  const path = named[2] as string;
  return { scheme: scheme && `${scheme}:`, authority: named[1] as string, path: path || '/', tail };
}

/** A path without `.` and `..`, which browsers also know as `%2e`; what would climb above the root stays there. */
export function resolvePath(path: string): string {
  const resolved: string[] = [];
  const segments = path.split('/');
  segments.forEach((segment, i) => {
    const isLast = i === segments.length - 1;
    if (i === 0) {
      return; // What stands before the first slash: nothing.
    }
    if (!/^(?:\.|%2e){1,2}$/i.test(segment)) {
      resolved.push(segment);
      return;
    }
    if (/^(?:\.|%2e){2}$/i.test(segment)) {
      resolved.pop();
    }
    if (isLast) {
      resolved.push('');
    }
  });
  return `/${resolved.join('/')}`;
}

/** `host:port` in lower case, or `host` if the port is the scheme's own. `scheme` is `http` or `https`. */
export function hostOf(authority: string, scheme: string): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1).toLowerCase();
  const parts = /^([\s\S]*?)(?::(\d*))?$/.exec(host) as RegExpExecArray;
  const port = Number(parts[2] || 0) || (scheme === 'https' ? 443 : 80);
  return port === (scheme === 'https' ? 443 : 80) ? (parts[1] as string) : `${parts[1]}:${port}`;
}

function cleaned(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: browsers drop them.
      .replace(/^[\x00-\x20]+|[\x00-\x20]+$/g, '')
      .replace(/[\t\n\r]/g, '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: browsers encode them.
      .replace(/[\x00-\x1f\x7f]/g, (control) => `%${control.charCodeAt(0).toString(16).padStart(2, '0')}`)
  );
}

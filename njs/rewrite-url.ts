import { isBelowPrefix, type RewriteContext } from './rewrite-context.ts';
import { hostOf, parseReference, resolvePath } from './rewrite-reference.ts';

/** Names by which an app may call the host it listens on. */
const LOOPBACK = ['localhost', '127.0.0.1', '[::1]', '0.0.0.0', '[::]'];

/**
 * The URL reference that leads a browser where the app meant to lead it. What means the same to both, and what leads
 * to other origins, is returned as it is. Hosts are compared as text: `127.1` is not `127.0.0.1`.
 */
export function rewriteUrl(text: string, context: RewriteContext): string {
  const reference = parseReference(text, context.scheme);
  if (reference === undefined) {
    return text;
  }
  const path = reference.path;
  const tail = reference.tail;
  if (reference.authority === undefined) {
    return context.mode === 'path' ? rewritePath(text, path, tail, context) : text;
  }
  const scheme = reference.scheme.slice(0, -1) || context.scheme;
  const host = hostOf(reference.authority, scheme);
  if (host !== '' && host === hostOf(context.publicHost, context.scheme)) {
    const inside = context.mode === 'path' ? prefixed(path, context.prefix) : path;
    return inside === path ? text : `${reference.scheme}//${reference.authority}${inside}${tail}`;
  }
  if (isBackend(host, scheme, context.backend)) {
    const inside = context.mode === 'path' ? prefixed(path, context.prefix) : path;
    // A reference that begins with `//` would name a host.
    return (inside.startsWith('//') ? `/.${inside}` : inside) + tail;
  }
  return text;
}

function rewritePath(text: string, path: string, tail: string, context: RewriteContext): string {
  if (path.startsWith('/')) {
    const inside = prefixed(path, context.prefix);
    return inside === path ? text : inside + tail;
  }
  const base = resolvePath(context.rest.replace(/[?#][\s\S]*$/, ''));
  const full = base.slice(0, base.lastIndexOf('/') + 1) + path;
  const meant = resolvePath(full);
  // The same, unless `..` climbs above what the app takes for the root.
  const same = resolvePath(context.prefix + full) === context.prefix + meant;
  return same ? text : prefixed(meant, context.prefix) + tail;
}

/** The path in the browser of a path in the app. As it is if it has the prefix, because some apps know theirs. */
function prefixed(path: string, prefix: string): string {
  const resolved = resolvePath(path);
  return isBelowPrefix(resolved, prefix) ? path : prefix + resolved;
}

function isBackend(host: string, scheme: string, backend: string): boolean {
  const port = backend.slice(backend.lastIndexOf(':'));
  return (
    host === hostOf(backend, scheme) || LOOPBACK.some((name) => host === hostOf(`${name}${port}`, scheme))
  );
}

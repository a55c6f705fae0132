import type { NginxLine } from './nginx.ts';

/** The oldest njs whose shared dictionaries can do what the router needs (its change log, 0.8.5). */
export const oldestNjs = '0.8.5';

/** Below zero, zero or above zero, as dotted version `a` is older than, the same as or newer than `b`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function isAtLeast(version: string, oldest: string): boolean {
  return compareVersions(version, oldest) >= 0;
}

/** Upstreams can pool connections to sessions from nginx 1.29.6 on (its change log); that parts the lines. */
export function lineOf(version: string): NginxLine {
  return isAtLeast(version, '1.29.6') ? 'current' : 'stable';
}

/** What `nginx -V` says of itself, or undefined when that is not an nginx' answer. */
export function parseBuild(text: string): { version: string; modulesPath: string } | undefined {
  const version = /^nginx version: \S+?\/(\d+\.\d+\.\d+)/m.exec(text)?.[1];
  if (!version) return undefined;
  const argument = (name: string) => new RegExp(`--${name}=(\\S+)`).exec(text)?.[1];
  const prefix = argument('prefix') ?? '/usr/local/nginx';
  return { version, modulesPath: argument('modules-path') ?? `${prefix}/modules` };
}

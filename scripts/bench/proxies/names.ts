/** How the suite's figures are called. */

export const SMALL_GET = 'small GET';
/** The metric that compares with the static proxy, round by round. */
export const RATIO = 'CPU against static';

/** How subjects are called that are this project's. */
export function routerTitle(way: string, nginx: { version: string; njs: string }): string {
  return `router, ${way} (nginx ${nginx.version}, njs ${nginx.njs})`;
}

export function isOurs(subject: string): boolean {
  return subject.startsWith('router, ');
}

import { createHash, randomBytes } from 'node:crypto';
import type { Route } from '../../njs/route.ts';
import type { Router } from './router.ts';

/** An access token, and what a route carries of it. */
export function makeToken(): { token: string; tokenDigest: string } {
  const token = randomBytes(32).toString('base64url');
  return { token, tokenDigest: createHash('sha256').update(token).digest('base64url') };
}

/** Writes routes as the daemon does; throws if the router does not take all of them. */
export async function putRoutes(
  router: Router,
  generation: number,
  put: { [id: string]: Omit<Route, 'generation'> },
): Promise<void> {
  const { status, body } = await router.admin.call('POST', '/v1/routes', { generation, put });
  if (status !== 200 || body.stale.length > 0 || body.refused.length > 0) {
    throw new Error(`the router answered ${status} ${JSON.stringify(body)}`);
  }
}

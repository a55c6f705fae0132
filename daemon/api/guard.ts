import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, Next } from 'koa';
import { isLoopback } from '../config.ts';
import { ApiError } from '../errors.ts';

/** Lets in who sends the token; probes need none. */
export function requireToken(token: string) {
  const wanted = digest(`Bearer ${token}`);
  return async (ctx: Context, next: Next): Promise<void> => {
    const isProbe = ctx.path === '/healthz' || ctx.path === '/readyz';
    if (!isProbe && !timingSafeEqual(digest(ctx.get('authorization')), wanted)) {
      ctx.set('www-authenticate', 'Bearer');
      throw new ApiError(401, 'unauthorized', 'Send the API token: "Authorization: Bearer …" (--api-token).');
    }
    await next();
  };
}

/**
 * Without a token only programs of this machine may call. A web page in somebody's browser runs here too, and could
 * start sessions: browsers say where a request comes from, and a page that rebinds its DNS name sends that name.
 */
export async function refuseBrowsers(ctx: Context, next: Next): Promise<void> {
  const name = ctx.host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const site = ctx.get('sec-fetch-site');
  if (ctx.get('origin') !== '' || !['', 'none', 'same-origin'].includes(site) || !isLoopback(name)) {
    throw new ApiError(
      403,
      'browser_refused',
      'Web pages may not call this API: call it from your backend, at a loopback address, or set --api-token.',
    );
  }
  await next();
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

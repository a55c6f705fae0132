import { randomUUID } from 'node:crypto';
import type { Context, Next } from 'koa';
import type { Logger } from 'pino';
import { ApiError } from '../errors.ts';

const PROBES = ['/healthz', '/readyz', '/metrics'];

/**
 * The outermost layer: gives each request an id, logs it, and turns what goes wrong into
 * `{"error":{"code","message","requestId"}}`.
 */
export function requestLog(log: Logger) {
  return async (ctx: Context, next: Next): Promise<void> => {
    const requestId = randomUUID();
    const startedAt = performance.now();
    ctx.set('x-request-id', requestId);
    try {
      await next();
    } catch (error) {
      answer(ctx, error as Error, requestId, log);
    }
    const ms = Math.round(performance.now() - startedAt);
    const level = PROBES.includes(ctx.path) ? 'debug' : 'info';
    log[level]({ requestId, method: ctx.method, path: ctx.path, status: ctx.status, ms }, 'request');
  };
}

function answer(ctx: Context, error: Error, requestId: string, log: Logger): void {
  if (!(error instanceof ApiError)) log.error({ requestId, err: error }, 'request failed');
  const known =
    error instanceof ApiError
      ? error
      : new ApiError(500, 'internal', 'Something went wrong here; the log says more under this requestId.');
  ctx.status = known.status;
  if (known.retryAfterSeconds !== undefined) ctx.set('retry-after', String(known.retryAfterSeconds));
  ctx.body = { error: { code: known.code, message: known.message, requestId, ...known.details } };
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Next } from 'koa';
import { ApiError } from '../errors.ts';

const PATIENCE_MS = 2_000;
const ALWAYS = ['/healthz', '/readyz', '/metrics'];

/** Until every session is known, whoever asks for sessions waits a moment and is then told to come again. */
export function startGate(started: Promise<void>, waitsFor: () => string) {
  let open = false;
  started.then(
    () => {
      open = true;
    },
    () => {}, // then the daemon ends
  );
  return async (ctx: Context, next: Next): Promise<void> => {
    if (!open && !ALWAYS.includes(ctx.path)) {
      await Promise.race([started, sleep(PATIENCE_MS, undefined, { ref: false })]);
      if (!open) throw new ApiError(503, 'not_ready', waitsFor(), { retryAfterSeconds: 1 });
    }
    await next();
  };
}

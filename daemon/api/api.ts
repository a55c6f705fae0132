import Router from '@koa/router';
import Koa from 'koa';
import type { Logger } from 'pino';
import { ApiError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { RouterStatus } from '../routers/routers.ts';
import { refuseBrowsers, requireToken } from './guard.ts';
import { createInit, type InitParts } from './init.ts';
import { requestLog } from './request-log.ts';
import { createSessions, type SessionsParts } from './sessions.ts';
import { startGate } from './start-gate.ts';

export interface ApiParts {
  init: InitParts;
  sessions: SessionsParts;
  metrics: Metrics;
  routers: () => RouterStatus[];
  /** Resolves when every session is known. */
  started: Promise<void>;
  /** Undefined once the daemon is ready, else what it waits for. */
  notReady: () => string | undefined;
  token: string | undefined;
  /** Whether requests can come from beyond this machine. */
  exposed: boolean;
  log: Logger;
}

/** The daemon's HTTP API; README.md has it as a table. */
export function createApi(parts: ApiParts): Koa {
  const { metrics, started, notReady, token, exposed, log } = parts;
  const sessions = createSessions(parts.sessions);
  const router = new Router();

  router.post('/init', createInit(parts.init));
  router.get('/sessions', sessions.list);
  router.get('/sessions/:id', sessions.get);
  router.delete('/sessions/:id', sessions.end);
  router.post('/sessions/:id/token', sessions.renewToken);
  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'ok' };
  });
  router.get('/readyz', (ctx) => {
    const reason = notReady();
    if (reason !== undefined) throw new ApiError(503, 'not_ready', reason, { retryAfterSeconds: 1 });
    const routers = parts.routers().map(({ address, state, problem }) => ({ address, state, problem }));
    ctx.body = { status: 'ready', routers };
  });
  router.get('/metrics', async (ctx) => {
    const { text, contentType } = await metrics.read();
    ctx.set('content-type', contentType);
    ctx.body = text;
  });

  const app = new Koa();
  // Requests that break off while they are answered; all else has its answer from requestLog.
  app.on('error', (error: Error) => log.debug({ err: error }, 'request broke off'));
  app.use(requestLog(log));
  if (token !== undefined) app.use(requireToken(token));
  else if (!exposed) app.use(refuseBrowsers);
  app.use(startGate(started, () => notReady() ?? 'The daemon is starting.'));
  app.use(router.routes());
  app.use((ctx) => refuseUnmatched(ctx, router));
  return app;
}

function refuseUnmatched(ctx: Koa.Context, router: Router): void {
  const allowed = router.match(ctx.path, ctx.method).path.flatMap((layer) => layer.methods);
  if (allowed.length === 0) throw new ApiError(404, 'not_found', `There is nothing at ${ctx.path}.`);
  ctx.set('allow', [...new Set(allowed)].join(', '));
  throw new ApiError(405, 'method_not_allowed', `${ctx.path} takes ${[...new Set(allowed)].join(', ')}.`);
}

/** A router's admin API (docs/router-api.md) as functions. */
import { Pool } from 'undici';
import { z } from 'zod';
import { withShortIds } from '../../njs/log-text.ts';
import type { Route, RouteState } from '../../njs/route.ts';

const HEALTH_TIMEOUT_MS = 2_000;
const WRITE_TIMEOUT_MS = 2_000;
const TABLE_TIMEOUT_MS = 10_000;

const zoneSchema = z.object({ bytes: z.number(), freeBytes: z.number() });
const healthSchema = z.object({
  bootId: z.string().min(1),
  filled: z.boolean(),
  generation: z.number(),
  // An older router, still there while a cluster replaces them, knows one mode only.
  mode: z.enum(['path', 'path-kept', 'host']).default('path'),
  zones: z.object({ routes: zoneSchema, activity: zoneSchema }),
});
const tableSchema = z.object({
  bootId: z.string(),
  routes: z.record(
    z.string(),
    z.tuple([
      z.enum(['starting', 'ready', 'draining', 'gone']),
      z.number(),
      z.string(),
      z.string().optional(),
    ]),
  ),
});
const writtenSchema = z.object({
  bootId: z.string(),
  stale: z.array(z.string()),
  full: z.array(z.string()),
  // An older router refuses nothing.
  refused: z.array(z.string()).default([]),
});
const activitySchema = z.object({
  bootId: z.string(),
  uncounted: z.number(),
  sessions: z.record(z.string(), z.object({ active: z.number(), total: z.number() })),
});

export type RouterHealth = z.infer<typeof healthSchema>;
export type RouterActivity = z.infer<typeof activitySchema>;
export type Written = z.infer<typeof writtenSchema>;

export interface RouteBatch {
  generation: number;
  put: Record<string, { state: RouteState; address: string; tokenDigest?: string }>;
  delete: string[];
  forget: string[];
}

/** Every call rejects with a `RouterError` if the router does not answer in time or not as it should. */
export interface RouterClient {
  /** As the operator wrote it, for logs and metrics. */
  readonly address: string;
  health(): Promise<RouterHealth>;
  table(): Promise<{ bootId: string; routes: Record<string, Route> }>;
  write(batch: RouteBatch): Promise<Written>;
  filled(bootId: string): Promise<void>;
  activity(): Promise<RouterActivity>;
  close(): Promise<void>;
}

export class RouterError extends Error {
  override readonly name = 'RouterError';
  /** Nobody listens at the address: there is no router, not one that hangs. */
  readonly absent: boolean;

  constructor(message: string, absent: boolean, cause?: unknown) {
    // `GET /readyz` says it to everybody, and who knows a session's id may use the session.
    super(withShortIds(message), { cause });
    this.absent = absent;
  }
}

/** Whether the error says that there is no router, not one that hangs. */
export function isAbsent(error: unknown): boolean {
  return error instanceof RouterError && error.absent;
}

function isCutOff(error: unknown): boolean {
  return ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** @param address `unix:/path` or `http://host:port` */
export function createRouterClient(address: string, token: string | undefined): RouterClient {
  const socketPath = address.startsWith('unix:') ? address.slice('unix:'.length) : undefined;
  const poolOf = (pipelining: number) =>
    new Pool(socketPath === undefined ? address : 'http://router', {
      pipelining,
      ...(socketPath === undefined ? {} : { socketPath }),
    });
  // One call after the other on a connection that is kept: to make one takes as long as a small write.
  const kept = poolOf(1);
  const unkept = poolOf(0);
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };

  async function call<T>(
    schema: z.ZodType<T>,
    request: { method: 'GET' | 'POST'; path: string; body?: unknown; timeoutMs: number; accept?: number[] },
  ): Promise<T> {
    const what = `${request.method} ${request.path}`;
    try {
      const body = request.body === undefined ? null : JSON.stringify(request.body);
      const signal = AbortSignal.timeout(request.timeoutMs);
      const ask = (pool: Pool) =>
        pool.request({ method: request.method, path: request.path, headers, body, signal });
      // A reload of nginx closes all that are kept, perhaps while we write to one. Each call may be repeated: the same
      // write, of the same generation, changes nothing more.
      const answer = await ask(kept).catch((error) => {
        if (!isCutOff(error)) throw error;
        return ask(unkept);
      });
      const text = await answer.body.text();
      if (![200, ...(request.accept ?? [])].includes(answer.statusCode)) {
        throw new RouterError(`${what} answered ${answer.statusCode}: ${text.slice(0, 200)}`, false);
      }
      const read = schema.safeParse(JSON.parse(text));
      if (read.success) return read.data;
      const [issue] = read.error.issues;
      throw new RouterError(`${what} answered wrongly: ${issue?.path.join('.')}: ${issue?.message}`, false);
    } catch (error) {
      if (error instanceof RouterError) throw error;
      const code = (error as NodeJS.ErrnoException).code;
      throw new RouterError(
        `${what}: ${(error as Error).message}`,
        code === 'ECONNREFUSED' || code === 'ENOENT',
        error,
      );
    }
  }

  return {
    address,
    health: () => call(healthSchema, { method: 'GET', path: '/v1/health', timeoutMs: HEALTH_TIMEOUT_MS }),
    async table() {
      const { bootId, routes } = await call(tableSchema, {
        method: 'GET',
        path: '/v1/routes',
        timeoutMs: TABLE_TIMEOUT_MS,
      });
      const entries = Object.entries(routes).map(([id, [state, generation, backend, digest]]) => {
        return [id, { state, generation, address: backend, tokenDigest: digest ?? '' }] as const;
      });
      return { bootId, routes: Object.fromEntries(entries) };
    },
    write: (batch) =>
      call(writtenSchema, {
        method: 'POST',
        path: '/v1/routes',
        body: batch,
        timeoutMs: WRITE_TIMEOUT_MS,
        accept: [507],
      }),
    async filled(bootId) {
      await call(z.unknown(), {
        method: 'POST',
        path: '/v1/filled',
        body: { bootId },
        timeoutMs: WRITE_TIMEOUT_MS,
      });
    },
    activity: () =>
      call(activitySchema, { method: 'GET', path: '/v1/activity', timeoutMs: WRITE_TIMEOUT_MS }),
    async close() {
      await Promise.all([kept.destroy(), unkept.destroy()]);
    },
  };
}

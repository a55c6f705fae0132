import { createHash } from 'node:crypto';
import type { Context } from 'koa';
import { z } from 'zod';
import { type AccessTokens, FIRST_EPOCH } from '../access-tokens.ts';
import { type Allowance, assertAllowed, isQuantity } from '../allowance.ts';
import { ApiError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { PublicUrl } from '../public-url.ts';
import type { Reconciler } from '../reconciler.ts';
import { isReservedName } from '../runtime/session-environment.ts';
import { newSessionId, type Session } from '../session.ts';
import type { SessionStore } from '../session-store.ts';
import { readBody } from './body.ts';
import { invitation } from './session-view.ts';

// Kubernetes' grammar, so that the same request works with every runtime:
// https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
const LABEL_NAME = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$/;

// What a container's image can be called, roughly: https://github.com/distribution/reference has the whole grammar.
const IMAGE = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,499}$/;

const quantities = z
  .strictObject({
    cpu: z.string().refine(isQuantity, 'a quantity like "500m" or "2"').optional(),
    memory: z.string().refine(isQuantity, 'a quantity like "512Mi"').optional(),
  })
  .default({})
  .transform(({ cpu, memory }) => ({
    ...(cpu !== undefined && { cpu }),
    ...(memory !== undefined && { memory }),
  }));

const initSchema = z.strictObject({
  env: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a name has letters, digits and _ and does not begin with a digit')
        .refine((name) => !isReservedName(name), "PORT, HOST and SPAWNER_… are the session's own"),
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the one character that no environment can hold
      z.string().regex(/^[^\u0000]*$/, 'a value has no NUL character'),
    )
    .default({}),
  labels: z
    .record(
      z.string().regex(LABEL_NAME, 'not a label name'),
      z.string().regex(LABEL_VALUE, 'not a label value'),
    )
    .refine((labels) => Object.keys(labels).length <= 32, 'at most 32 labels')
    .default({}),
  image: z.string().regex(IMAGE, 'not the name of an image').optional(),
  resources: z.strictObject({ requests: quantities, limits: quantities }).optional(),
  wait: z.literal('ready', 'the only value is "ready"').optional(),
});

type InitRequest = z.infer<typeof initSchema>;

export interface InitParts {
  store: SessionStore;
  reconciler: Reconciler;
  metrics: Metrics;
  publicUrl: PublicUrl;
  tokens: AccessTokens;
  /** Whether new sessions have access tokens. */
  requireToken: boolean;
  maxSessions: number;
  /** Undefined where sessions are processes. */
  allowance: Allowance | undefined;
}

/** `POST /init`: starts a session, or answers with the one that the same `Idempotency-Key` started. */
export function createInit(parts: InitParts) {
  const { store, reconciler, metrics, publicUrl, tokens, maxSessions, allowance } = parts;
  const tokenEpoch = parts.requireToken ? FIRST_EPOCH : null;
  // Requests with one key that come while the first is still at work share its outcome.
  const underway = new Map<string, { digest: string; session: Promise<Session> }>();

  async function start(
    request: InitRequest,
    idempotency: { key: string; digest: string } | null,
  ): Promise<Session> {
    if (store.living().length >= maxSessions) {
      throw new ApiError(
        429,
        'too_many_sessions',
        `All ${maxSessions} sessions are in use (--max-sessions).`,
        {
          retryAfterSeconds: 5,
        },
      );
    }
    const { wait: _, ...choice } = request;
    return reconciler.create({
      id: newSessionId(),
      createdAt: Date.now(),
      ...choice,
      idempotency,
      tokenEpoch,
    });
  }

  async function startOnce(
    request: InitRequest,
    key: string,
  ): Promise<{ session: Session; replayed: boolean }> {
    const digest = digestOf(request);
    const other = underway.get(key);
    const known = other ?? store.byIdempotencyKey(key)?.idempotency;
    if (known && known.digest !== digest) {
      throw new ApiError(
        422,
        'idempotency_key_reused',
        'This Idempotency-Key came with another body before.',
      );
    }
    if (other) return { session: await other.session, replayed: true };
    const existing = store.byIdempotencyKey(key);
    if (existing) return { session: existing, replayed: true };
    const session = start(request, { key, digest }).finally(() => underway.delete(key));
    underway.set(key, { digest, session });
    return { session: await session, replayed: false };
  }

  async function init(ctx: Context): Promise<void> {
    const request = await readBody(ctx, initSchema);
    assertAllowed(request, allowance);
    const key = idempotencyKey(ctx);
    const { session, replayed } =
      key === undefined
        ? { session: await start(request, null), replayed: false }
        : await startOnce(request, key);
    if (request.wait === 'ready') await becomesReady(store, session);
    if (replayed) ctx.set('idempotency-replayed', 'true');
    ctx.status = 201;
    ctx.set('location', `/sessions/${session.id}`);
    ctx.body = invitation(session, publicUrl, tokens);
  }

  return async (ctx: Context): Promise<void> => {
    const startedAt = performance.now();
    const outcome = (code: string) => metrics.initAnswered((performance.now() - startedAt) / 1000, code);
    await init(ctx).then(
      () => outcome('ok'),
      (error) => {
        outcome(error instanceof ApiError ? error.code : 'internal');
        throw error;
      },
    );
  };
}

async function becomesReady(store: SessionStore, session: Session): Promise<void> {
  await store.when(session, ({ state }) => state !== 'starting');
  if (session.failure) {
    const { code, message, ...rest } = session.failure;
    throw new ApiError(502, code, message, { details: { session: session.id, ...rest } });
  }
  if (session.ending) {
    throw new ApiError(409, 'session_ended', `The session ended before it was ready: ${session.ending}.`, {
      details: { session: session.id },
    });
  }
}

/** Of what is started. How long the caller waits, and the order of names, are no part of it. */
function digestOf({ wait: _, ...what }: InitRequest): string {
  const sorted = (_name: string, value: unknown) =>
    value !== null && typeof value === 'object' ? Object.fromEntries(Object.entries(value).sort()) : value;
  return createHash('sha256').update(JSON.stringify(what, sorted)).digest('hex');
}

function idempotencyKey(ctx: Context): string | undefined {
  const key = ctx.req.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new ApiError(
      400,
      'bad_idempotency_key',
      'Idempotency-Key has 1 to 255 printable characters, no blanks.',
    );
  }
  return key;
}

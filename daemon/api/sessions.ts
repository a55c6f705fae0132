import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'koa';
import { z } from 'zod';
import { isSessionId } from '../../njs/route.ts';
import type { AccessTokens } from '../access-tokens.ts';
import { ApiError } from '../errors.ts';
import type { Reaper } from '../reaper.ts';
import type { Reconciler } from '../reconciler.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Session } from '../session.ts';
import type { SessionStore } from '../session-store.ts';
import { check } from './body.ts';
import { details, invitation, summary, type ViewSettings } from './session-view.ts';

const listSchema = z.strictObject({
  limit: z
    .string('once, a whole number from 1 to 1000')
    .regex(/^(1000|[1-9]\d{0,2})$/, 'a whole number from 1 to 1000')
    .transform(Number)
    .default(100),
  cursor: z.string().refine(isSessionId, 'not a cursor that a list gave').optional(),
  state: z.enum(['starting', 'ready', 'draining', 'failed', 'gone']).optional(),
  label: z
    .string()
    .regex(/^[^=]+=[^=]*$/, 'write label=name=value')
    .optional(),
});

export interface SessionsParts {
  store: SessionStore;
  reconciler: Reconciler;
  reaper: Reaper;
  runtime: Runtime;
  view: ViewSettings;
  tokens: AccessTokens;
  now: () => number;
  /** How long `DELETE` waits for a session's end. */
  endPatienceMs: number;
}

export function createSessions(parts: SessionsParts) {
  const { store, reconciler, reaper, runtime, view, tokens, now, endPatienceMs } = parts;

  function find(ctx: Context): Session {
    const session = store.get(ctx.params.id);
    if (!session) throw new ApiError(404, 'unknown_session', 'There is no session with this id.');
    return session;
  }

  return {
    /** `GET /sessions?limit=&cursor=&state=&label=name=value` → `{"sessions":[…],"next":cursor or null}`, oldest first. */
    async list(ctx: Context): Promise<void> {
      const { limit, cursor, state, label } = check(listSchema, { ...ctx.query }, 'query');
      const all = store.all();
      const from = cursor === undefined ? 0 : all.findIndex((session) => session.id === cursor);
      if (from < 0) {
        throw new ApiError(
          400,
          'stale_cursor',
          'The session this cursor stood for is forgotten: start anew.',
        );
      }
      const [name, value] = label?.split('=') ?? [];
      const matching = all.slice(from).filter((session) => {
        return (
          (state === undefined || session.state === state) &&
          (name === undefined || session.labels[name] === value)
        );
      });
      const page = matching.slice(0, limit);
      ctx.body = {
        sessions: page.map((session) => summary(session, view.publicUrl)),
        next: matching[limit]?.id ?? null,
      };
    },

    async get(ctx: Context): Promise<void> {
      const session = find(ctx);
      const output = await runtime.output(session.id);
      ctx.body = details(session, output, reaper.inspection(session), now(), view);
    },

    /** The session with a new URL; who came by an earlier one is out. */
    async renewToken(ctx: Context): Promise<void> {
      const session = find(ctx);
      await reconciler.renewToken(session);
      ctx.body = invitation(session, view.publicUrl, tokens);
    },

    /** 204 once nothing of the session is left; the same for one that has ended already. */
    async end(ctx: Context): Promise<void> {
      const session = find(ctx);
      const late = sleep(endPatienceMs, 'late', { ref: false });
      if ((await Promise.race([reconciler.end(session, 'deleted'), late])) === 'late') {
        throw new ApiError(
          503,
          'still_ending',
          'The session is being ended, but something of it still runs.',
          {
            retryAfterSeconds: 5,
          },
        );
      }
      ctx.status = 204;
    },
  };
}

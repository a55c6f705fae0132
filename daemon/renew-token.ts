import type { Logger } from 'pino';
import type { AccessTokens } from './access-tokens.ts';
import { ApiError } from './errors.ts';
import type { Routers } from './routers/routers.ts';
import type { Runtime } from './runtime/runtime.ts';
import { hasEnded, type Session } from './session.ts';
import type { WorkQueue } from './work-queue.ts';

export interface RenewalParts {
  runtime: Pick<Runtime, 'setTokenEpoch'>;
  routers: Pick<Routers, 'set' | 'isSettled'>;
  tokens: AccessTokens;
  /** In which all that is done to one session stands in one line. */
  queue: WorkQueue;
  log: Logger;
}

/**
 * Makes a session's access token invalid and another one valid, for visitors who are connected, too.
 * The answer throws an {@link ApiError} if it can't be done, or if a router may still let in who has the old one.
 */
export function createRenewal({ runtime, routers, tokens, queue, log }: RenewalParts) {
  async function renew(session: Session): Promise<void> {
    const tokenEpoch = assertRenewable(session) + 1;
    // Noted first: should we be killed, the next daemon must not let in who has the old one.
    await runtime.setTokenEpoch(session.id, tokenEpoch);
    session.tokenEpoch = tokenEpoch;
    session.tokenDigest = tokens.digest(session);
    const { backend = '', tokenDigest } = session;
    const state = backend === '' ? 'starting' : 'ready';
    await routers.set(session.id, { state, address: backend, tokenDigest });
    log.info({ session: session.id, epoch: tokenEpoch }, 'access token renewed');
  }

  return async (session: Session): Promise<void> => {
    assertRenewable(session); // at once: its end may be long under way
    await queue.exclusive(session.id, () => renew(session));
    if (routers.isSettled(session.id)) return;
    throw new ApiError(
      503,
      'not_revoked',
      'The session has a new token, but a router that does not answer, or is full, may still let in who has an old one: ask again.',
      { retryAfterSeconds: 1 },
    );
  };
}

/** Its epoch. @throws {ApiError} if the session has no token, or is over */
function assertRenewable(session: Session): number {
  if (session.ending || hasEnded(session)) {
    throw new ApiError(409, 'session_ended', 'The session has ended: nobody can use it any more.');
  }
  if (session.tokenEpoch === null) {
    throw new ApiError(
      409,
      'no_token',
      'The session was started without an access token (--require-token): end it and start another.',
    );
  }
  return session.tokenEpoch;
}

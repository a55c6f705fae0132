import { createHash, createHmac } from 'node:crypto';
import { ConfigError } from './errors.ts';
import type { OwnSpec } from './session.ts';

/** The epoch of a session's first token. A renewal is the next one. */
export const FIRST_EPOCH = 1;

type Holder = Pick<OwnSpec, 'id' | 'tokenEpoch'>;

/** What opens a session to a visitor: made anew from the secret whenever it is needed, and kept nowhere. */
export interface AccessTokens {
  /** 43 characters for a URL; undefined for a session that is open to whoever knows its id. */
  token(session: Holder): string | undefined;
  /** What routers compare with: the token's SHA-256 in 43 characters, or '' where there is no token. */
  digest(session: Holder): string;
}

/**
 * A token is the HMAC of the session's id and its epoch, so that one of an earlier epoch opens nothing.
 * @param secret undefined where the operator gave none; a session that needs it is a {@link ConfigError} then
 */
export function createAccessTokens(secret: string | undefined): AccessTokens {
  function token({ id, tokenEpoch }: Holder): string | undefined {
    if (tokenEpoch === null) return undefined;
    if (secret === undefined) {
      throw new ConfigError(
        `--token-secret is missing: session ${id} was started with an access token. Set the secret of that time, or another to make its tokens invalid`,
      );
    }
    return createHmac('sha256', secret).update(`${id}.${tokenEpoch}`).digest('base64url');
  }

  function digest(session: Holder): string {
    const text = token(session);
    return text === undefined ? '' : createHash('sha256').update(text).digest('base64url');
  }

  return { token, digest };
}

import { fail, type Reply } from './reply.ts';

export interface Caller {
  /** Whether the call came through a unix socket: then whoever may open the socket may call. */
  local: boolean;
  /** The token that is asked for; '' for none. */
  token: string;
  /** The request's Authorization header; '' if it has none. */
  authorization: string;
}

/** Who calls the admin API. */
export function callerOf(r: NginxHTTPRequest): Caller {
  return {
    local: (r.variables.server_addr || '').startsWith('unix:'),
    token: r.variables.spawner_admin_token || '',
    authorization: r.headersIn.Authorization || '',
  };
}

/** The refusal, or undefined if the caller may go on. Without a token nothing is served over TCP. */
export function refusalOf(caller: Caller): Reply | undefined {
  if (caller.token === '') {
    return caller.local
      ? undefined
      : fail(
          403,
          'admin_token_missing',
          'the admin API listens on TCP and has no token: set $spawner_admin_token',
        );
  }
  return sameText(caller.authorization, `Bearer ${caller.token}`)
    ? undefined
    : fail(401, 'unauthorized', 'the admin API asks for "Authorization: Bearer <token>"');
}

/** Takes as long for a wrong text as for the right one, so that the token can't be guessed piece by piece. */
export function sameText(given: string, wanted: string): boolean {
  let difference = given.length === wanted.length ? 0 : 1;
  for (let i = 0; i < wanted.length; i += 1) {
    difference |= wanted.charCodeAt(i) ^ (given.charCodeAt(i) || 0);
  }
  return difference === 0;
}

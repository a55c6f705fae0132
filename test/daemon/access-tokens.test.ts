import { createHash, createHmac } from 'node:crypto';
import test from 'ava';
import { createAccessTokens } from '../../daemon/access-tokens.ts';
import { ConfigError } from '../../daemon/errors.ts';

const secret = 'a-secret-of-thirty-two-characters';
const tokens = createAccessTokens(secret);
const session = { id: 'abc', tokenEpoch: 1 };

test('a token is the HMAC of id and epoch; routers get its digest', (t) => {
  const token = createHmac('sha256', secret).update('abc.1').digest('base64url');
  t.is(tokens.token(session), token);
  t.is(tokens.digest(session), createHash('sha256').update(token).digest('base64url'));
  for (const text of [tokens.token(session), tokens.digest(session)]) t.regex(text ?? '', /^[\w-]{43}$/);
});

test('another session, epoch or secret has another token', (t) => {
  const all = [
    tokens.token(session),
    tokens.token({ ...session, tokenEpoch: 2 }),
    tokens.token({ ...session, id: 'abd' }),
    createAccessTokens(`${secret}!`).token(session),
  ];
  t.is(new Set(all).size, 4);
});

test('a session that was started without a token has none, whatever the daemon is set to', (t) => {
  for (const each of [tokens, createAccessTokens(undefined)]) {
    t.is(each.token({ id: 'abc', tokenEpoch: null }), undefined);
    t.is(each.digest({ id: 'abc', tokenEpoch: null }), '');
  }
});

test('without a secret, a session with a token is the operator’s mistake and never an open door', (t) => {
  t.throws(() => createAccessTokens(undefined).digest(session), {
    instanceOf: ConfigError,
    message: /--token-secret is missing: session abc/,
  });
});

import test from 'ava';
import { type CorsRequest, corsHeaders, isPreflight } from '../../njs/answer-cors.ts';

const ORIGIN = 'https://app.example:8443';

function request(changes: Partial<CorsRequest>): CorsRequest {
  return { method: 'GET', origin: ORIGIN, requestMethod: '', requestHeaders: '', ...changes };
}

const preflight = request({ method: 'OPTIONS', requestMethod: 'PUT', requestHeaders: 'x-a,x-b' });

test('a page of another origin may read what the router answers', (t) => {
  t.deepEqual(corsHeaders(request({}), 'session_starting'), {
    Vary: 'Origin, Accept, Sec-Fetch-Mode',
    'Access-Control-Allow-Origin': ORIGIN,
    'Access-Control-Allow-Credentials': 'true',
    'Access-Control-Expose-Headers': 'Retry-After',
  });
  t.is(corsHeaders(request({ origin: 'null' }), 'session_gone')['Access-Control-Allow-Origin'], 'null');
});

test('what is no single origin is not repeated', (t) => {
  for (const origin of ['', '*', 'https://a, https://b', 'https://a https://b', 'nonsense']) {
    t.deepEqual(corsHeaders(request({ origin }), 'session_gone'), { Vary: 'Origin, Accept, Sec-Fetch-Mode' });
  }
});

test('a preflight is consented to only where no app will ever be reached', (t) => {
  for (const verdict of ['unknown_session', 'session_gone', 'bad_request_target'] as const) {
    t.true(isPreflight(preflight, verdict));
    t.like(corsHeaders(preflight, verdict), {
      'Access-Control-Allow-Origin': ORIGIN,
      'Access-Control-Allow-Methods': 'PUT',
      'Access-Control-Allow-Headers': 'x-a,x-b',
      'Access-Control-Max-Age': '0',
    });
  }
  for (const verdict of ['session_starting', 'bad_gateway', 'router_not_filled', 'token_required'] as const) {
    t.false(isPreflight(preflight, verdict));
    t.is(corsHeaders(preflight, verdict)['Access-Control-Allow-Methods'], undefined);
  }
  t.false(isPreflight({ ...preflight, requestMethod: '' }, 'session_gone'), 'any other OPTIONS');
  t.false(isPreflight({ ...preflight, origin: '' }, 'session_gone'));
});

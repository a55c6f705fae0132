import { startRawBackend } from '../support/raw-backend.ts';
import { getRaw } from '../support/raw-http.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

const A = idOf('a');
const B = idOf('b');
const UNKNOWN = idOf('c');

/** What follows the id, which the backend must get as it is. */
const KEPT = [
  '/',
  '/x',
  '/x?q=1',
  '/?',
  '/x??a=%20&b=+&c=%',
  '//x//y',
  '/./x',
  '/x/../y',
  '/up%2Fl%2fow',
  '/a%20b%0d%0aInjected:%20yes',
  '/%ff%fe',
  '/caf\xc3\xa9',
  '/\xff\xc3/\x80?\xfe=\xff',
  '/x?next=//evil/../../p/other/',
  '/x#fragment',
  `/p/${B}/`,
  `/../${A}/x`,
  `/x?${'y'.repeat(2000)}`,
  '/-._~!$&\'()*+,;=:@|^`{}[]<>"\\',
];

const ANSWERED: [string, number, string][] = [
  [`/p/${A}/../${B}/x`, 400, 'bad_request_target'],
  [`/p/${A}/%2e%2e/${B}/x`, 400, 'bad_request_target'],
  [`/p/${A}/..%2f${B}/x`, 400, 'bad_request_target'],
  [`/p/${A}%2f`, 400, 'bad_request_target'],
  [`/p/${A}%2fx`, 400, 'bad_request_target'],
  [`/p/${A}%3fx`, 400, 'bad_request_target'],
  [`/p/%61${'a'.repeat(25)}/`, 400, 'bad_request_target'],
  [`/p/${A}#x`, 400, 'bad_request_target'],
  [`//p/${A}/`, 400, 'bad_request_target'],
  [`/p//${A}/`, 400, 'bad_request_target'],
  [`/x/../p/${A}/`, 400, 'bad_request_target'],
  [`/p/./${A}/`, 400, 'bad_request_target'],
  [`/%70/${A}/`, 400, 'bad_request_target'],
  [`/p/${A.toUpperCase()}/`, 404, 'unknown_session'],
  [`/p/${A}a/`, 404, 'unknown_session'],
  [`/p/${A.slice(1)}/`, 404, 'unknown_session'],
  [`/p/${UNKNOWN}/`, 404, 'unknown_session'],
  ['/p/', 404, 'unknown_session'],
  ['/p/!highest/', 404, 'unknown_session'],
  ['/p/\xff\xfe/', 404, 'unknown_session'],
];

testOnEachStack(
  'a request target reaches its own session byte for byte, or nobody',
  {},
  async (t, { router }) => {
    const a = await startRawBackend('A');
    t.teardown(() => a.stop());
    const b = await startRawBackend('B');
    t.teardown(() => b.stop());
    await router.admin.put(A, 'ready', a.address);
    await router.admin.put(B, 'ready', b.address);
    await router.admin.fill();

    for (const rest of KEPT) {
      const answer = await getRaw(router.publicSocket, `/p/${A}${rest}`);
      t.is(answer.body, `A GET ${rest} HTTP/1.1`, rest);
    }
    for (const [target, status, code] of ANSWERED) {
      const answer = await getRaw(router.publicSocket, target);
      t.is(answer.status, status, target);
      t.is(JSON.parse(answer.body).error.code, code, target);
    }
  },
);

testOnEachStack('an absolute request target is its path', {}, async (t, { router }) => {
  const a = await startRawBackend('A');
  t.teardown(() => a.stop());
  await router.admin.put(A, 'ready', a.address);
  const answer = await getRaw(router.publicSocket, `http://elsewhere.test/p/${A}/x%2f?y`);
  t.is(answer.body, 'A GET /x%2f?y HTTP/1.1');
});

testOnEachStack('a session without its slash is redirected, query and all', {}, async (t, { router }) => {
  for (const query of ['', '?', '?a=b', '?x=//evil.test/%0d%0a&\xfe']) {
    const answer = await getRaw(router.publicSocket, `/p/${A}${query}`);
    t.is(answer.status, 308, query);
    t.is(/^Location: (.*)\r$/m.exec(answer.text)?.[1], `/p/${A}/${query}`);
  }
});

testOnEachStack('the front page says how to start a session', {}, async (t, { router }) => {
  const answer = await getRaw(router.publicSocket, '/');
  t.is(answer.status, 200);
  t.regex(answer.text, /^Content-Type: text\/html; charset=utf-8\r$/m);
  t.true(answer.body.includes('curl -X POST http://127.0.0.1:8080/init'));
  t.is((await getRaw(router.publicSocket, '/welcome.html')).status, 404);
});

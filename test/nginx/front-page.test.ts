import { ask } from '../support/http.ts';
import { testOnEachStack } from '../support/stacks.ts';

testOnEachStack('the front page says how to start a session', {}, async (t, { router }) => {
  const answer = await ask(router.publicSocket, '/');
  t.is(answer.status, 200);
  t.is(answer.headers['content-type'], 'text/html; charset=utf-8');
  t.true(answer.body.includes('curl -X POST http://127.0.0.1:8080/init'));
  t.is((await ask(router.publicSocket, '/welcome.html')).status, 404);
});

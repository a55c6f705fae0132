import test from 'ava';
import { ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { type Installation, install } from './support/install.ts';
import { reach } from './support/reach.ts';

let spawner: Installation;
test.before(async () => {
  spawner = await install({});
});
test.after.always(() => spawner?.remove());

test.serial('installed as documented, it gives a visitor a Pod', async (t) => {
  t.teardown(async () => {
    if (!t.passed) t.log(await spawner.dump());
  });
  const daemon = await reach(t, { namespace: 'spawner', kind: 'service', name: 'spawner-daemon', port: 80 });
  const router = await reach(t, { namespace: 'spawner', kind: 'service', name: 'spawner-router', port: 80 });
  const headers = { authorization: `Bearer ${spawner.apiToken}` };
  const answer = await ask(daemon, '/init', { method: 'POST', headers });
  t.is(answer.status, 201, answer.body);
  const { pathname } = new URL(JSON.parse(answer.body).url);
  const page = await until('the app to answer', async () => {
    const found = await ask(router, pathname);
    return found.status === 200 && found;
  });
  t.regex(page.body, /<html/i);
});

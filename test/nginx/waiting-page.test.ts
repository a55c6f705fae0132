import { ask } from '../support/http.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

const A = idOf('a');
const PATH = `/p/${A}/`;
const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'sec-fetch-mode': 'navigate' };

testOnEachStack(
  'a browser that navigates to a starting session gets a page at once',
  {},
  async (t, { router }) => {
    await router.admin.put(A, 'starting');
    const page = await ask(router.publicSocket, PATH, { headers: browser });
    t.is(page.status, 200);
    t.regex(page.headers['content-type'] ?? '', /^text\/html/);
    t.is(page.headers['cache-control'], 'no-store');
    t.true(page.body.includes(`/p/-/wait/`) && page.body.includes(A));
    t.notRegex(page.body, /https?:\/\//, 'it loads nothing from elsewhere');
    const head = await ask(router.publicSocket, PATH, { method: 'HEAD', headers: browser });
    t.deepEqual([head.status, head.body], [200, '']);
  },
);

testOnEachStack('a browser is told on a page what became of its session', {}, async (t, { router }) => {
  const visit = async () => {
    const { status, headers, body } = await ask(router.publicSocket, PATH, { headers: browser });
    t.regex(headers['content-type'] ?? '', /^text\/html/);
    return {
      status,
      title: /<title>(.*)<\/title>/.exec(body)?.[1],
      refreshes: body.includes('http-equiv="refresh"'),
    };
  };
  t.deepEqual(await visit(), { status: 503, title: 'One moment', refreshes: true });
  await router.admin.fill();
  t.deepEqual(await visit(), { status: 404, title: 'No such session', refreshes: false });
  await router.admin.put(A, 'draining', '127.0.0.1:1');
  t.deepEqual(await visit(), { status: 503, title: 'This session is ending', refreshes: true });
  await router.admin.remove(A);
  t.deepEqual(await visit(), { status: 410, title: 'This session has ended', refreshes: false });
});

testOnEachStack(
  "the page's question is answered when the session is no longer starting",
  {},
  async (t, { router }) => {
    const question = async () => {
      const answer = await ask(router.publicSocket, `/p/-/wait/${A}`);
      t.deepEqual([answer.status, answer.headers['cache-control']], [200, 'no-store']);
      return JSON.parse(answer.body);
    };
    t.deepEqual(await question(), { state: 'starting' }, 'a router that is not filled does not know');
    await router.admin.fill();
    t.deepEqual(await question(), { state: 'unknown' });

    await router.admin.put(A, 'starting');
    const asked = question();
    await router.admin.put(A, 'ready', '127.0.0.1:1');
    t.deepEqual(await asked, { state: 'ready' });
    await router.admin.put(A, 'draining', '127.0.0.1:1');
    t.deepEqual(await question(), { state: 'draining' });
    await router.admin.remove(A);
    t.deepEqual(await question(), { state: 'gone' });
  },
);

const host = { router: { mode: 'host', hostSuffix: '.apps.test' } } as const;
testOnEachStack('a session with a host of its own is asked for there', host, async (t, { router }) => {
  const question = async (name: string) => {
    const answer = await ask(router.publicSocket, '/.spawner/wait', { headers: { host: name } });
    t.is(answer.status, 200);
    return JSON.parse(answer.body);
  };
  await router.admin.fill();
  await router.admin.put(A, 'starting');
  const asked = question(`${A}.apps.test:8000`);
  await router.admin.put(A, 'ready', '127.0.0.1:1');
  t.deepEqual(await asked, { state: 'ready' });
  t.deepEqual(await question(`${idOf('b')}.apps.test`), { state: 'unknown' });
  t.deepEqual(await question('apps.test.example'), { state: 'unknown' });
});

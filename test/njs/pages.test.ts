import vm from 'node:vm';
import test from 'ava';
import { waitingPage } from '../../njs/pages.ts';

const A = 'a'.repeat(26);

interface Visit {
  asked: string[];
  reloads: number;
  texts: { [id: string]: string };
  title: string;
}

/** Runs the page's script in a browser of a few lines, which answers its questions with these states in turn. */
async function visit(pathname: string, states: (string | Error)[], id = A): Promise<Visit> {
  const seen: Visit = { asked: [], reloads: 0, texts: {}, title: '' };
  const element = (id: string) => ({
    remove: () => delete seen.texts[id],
    set textContent(text: string) {
      seen.texts[id] = text;
    },
  });
  const document = { title: '', getElementById: element };
  await new Promise<void>((resolve) => {
    const script = /<script>(.*)<\/script>/s.exec(waitingPage(id, 'Starting'))?.[1] ?? '';
    vm.runInNewContext(script, {
      document,
      location: { pathname, reload: () => (seen.reloads += 1) },
      setTimeout: (ask: () => void) => setImmediate(ask),
      fetch: async (url: string) => {
        seen.asked.push(url);
        const state = states.shift();
        if (states.length === 0) setImmediate(() => setImmediate(resolve));
        if (state instanceof Error) throw state;
        return { json: async () => ({ state }) };
      },
    });
  });
  return { ...seen, title: document.title };
}

test('the page asks until the session is ready, and then loads it', async (t) => {
  const seen = await visit(`/p/${A}/deep/path`, ['starting', new Error('offline'), 'starting', 'ready']);
  t.deepEqual(seen.asked, Array(4).fill(`/p/-/wait/${A}`));
  t.is(seen.reloads, 1);
});

test('a prefix that an outer proxy takes away is kept', async (t) => {
  const seen = await visit(`/apps/one/p/${A}/`, ['ready']);
  t.deepEqual(seen.asked, [`/apps/one/p/-/wait/${A}`]);
});

test('a session with a host of its own is asked for there', async (t) => {
  const seen = await visit(`/p/${A}/`, ['ready'], '');
  t.deepEqual(seen.asked, ['/.spawner/wait']);
});

test('the page says that the session could not be started', async (t) => {
  for (const state of ['gone', 'unknown']) {
    const seen = await visit(`/p/${A}/`, [state]);
    t.is(seen.reloads, 0);
    t.is(seen.title, 'The session could not be started');
    t.regex(seen.texts.text ?? '', /start a new one/);
  }
});

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { root } from '../../scripts/nginx.ts';
import { start } from './running.ts';

test('the quick tour of README.md does what it says', async (t) => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const tour = /## A quick tour.*?```sh\n(.*?)```/s.exec(readme)?.[1] as string;
  const run = await start(t);
  await run.ready();
  const script = tour.replaceAll('http://127.0.0.1:8080', run.apiUrl);
  t.not(script, tour);
  const { status, stdout, stderr } = spawnSync('bash', ['-eu', '-c', script], { encoding: 'utf8' });
  t.is(status, 0, stderr);
  const [opens, session, details, ended] = stdout.split(/\n|(?<=\})(?=\{)/);
  const url = /^open (http:\S+) in two/.exec(`${opens}`)?.[1] as string;
  t.true(url.startsWith(`${run.publicUrl}/p/`));
  const id = url.split('/').at(-2);
  t.like(JSON.parse(`${session}`), { session: id, count: 0 });
  t.like(JSON.parse(`${details}`), { id, url, state: 'ready' });
  t.like(JSON.parse(`${ended}`), { error: { code: 'session_gone' } });
});

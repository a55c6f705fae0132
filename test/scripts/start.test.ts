import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { WebSocket } from 'ws';
import { identify } from '../../daemon/runtime/process/proc.ts';
import { makeScratch } from '../../scripts/scratch.ts';
import { until } from '../support/poll.ts';
import { family, untilGone } from './processes.ts';
import { init, start } from './running.ts';

test.serial('one command serves sessions, and Ctrl-C leaves nothing behind', async (t) => {
  const run = await start(t);
  await run.ready();
  t.true(run.output().includes(`curl -X POST ${run.apiUrl}/init`));
  const session = await init(run);
  t.true(session.url.startsWith(`${run.publicUrl}/p/`));
  const socket = new WebSocket(`${session.url}live`.replace('http', 'ws'));
  const [state] = await once(socket, 'message');
  t.like(JSON.parse(state), { session: session.id, visitors: 1 });

  const processes = await run.processes();
  run.child.kill('SIGINT');
  run.child.kill('SIGINT'); // One Ctrl-C under npm arrives twice.
  t.is(await run.exited, 0);
  await untilGone(processes);
  t.deepEqual(await readdir(run.tmp), []);
  for (const url of [run.publicUrl, run.apiUrl, session.url]) await t.throwsAsync(fetch(url));
});

test.serial('an interrupt of npm alone ends everything', async (t) => {
  const run = await start(t, [], { command: ['npm', 'start', '--ignore-scripts', '--'] });
  await run.ready();
  await init(run);
  const processes = await run.processes();
  run.child.kill('SIGTERM');
  await t.notThrowsAsync(untilGone(processes));
});

test.serial('killed, it takes everything with it', async (t) => {
  const run = await start(t);
  await run.ready();
  await init(run);
  const processes = await run.processes();
  run.child.kill('SIGKILL');
  await t.notThrowsAsync(untilGone(processes));
});

test.serial('what it and its daemon left when both were killed, the next run ends and removes', async (t) => {
  const run = await start(t);
  await run.ready();
  const { url } = await init(run);
  const app = await family(await processOf(url));
  const processes = await run.processes();
  const daemon = processes.find(({ title }) => title.includes('daemon/main.ts'));
  run.child.kill('SIGSTOP'); // else it would mend the daemon
  process.kill(daemon?.pid as number, 'SIGKILL');
  run.child.kill('SIGKILL');
  await untilGone(processes.filter(({ pid }) => app.every((own) => own.pid !== pid)));
  t.truthy(await identify(app[0]?.pid as number));
  const [left] = await readdir(run.tmp);
  // Threads of the killed daemon may hold its lock a moment longer than it shows up in /proc.
  await until('the removal', async () => {
    await makeScratch(run.tmp);
    return !(await readdir(run.tmp)).includes(left as string);
  });
  await t.notThrowsAsync(untilGone(app));
});

test.serial('interrupted before it is ready, it leaves nothing behind', async (t) => {
  const run = await start(t);
  await until('its first processes', async () => (await run.processes()).length > 1);
  const processes = await run.processes();
  run.child.kill('SIGTERM');
  t.is(await run.exited, 0);
  await untilGone(processes);
  t.deepEqual(await readdir(run.tmp), []);
});

test.serial('interrupted again, it does not wait for an app that will not end', async (t) => {
  const run = await start(
    t,
    [`--application-command=trap '' TERM; node my-app.cjs; sleep 1000`, '--stop-grace=10m'],
    {
      env: { INIT_CWD: await appFolder(t) },
    },
  );
  await run.ready();
  await init(run);
  const processes = await run.processes();
  await until('its end', () => {
    run.child.kill('SIGINT');
    return run.child.exitCode !== null || run.child.signalCode !== null;
  });
  await t.notThrowsAsync(untilGone(processes));
});

test.serial('a killed nginx is started again and serves the same sessions', async (t) => {
  const run = await start(t);
  await run.ready();
  const session = await init(run);
  const before = await until('the session', () => processOf(session.url));
  const [scratch] = await readdir(run.tmp);
  const nginx = await family(Number(await readFile(join(run.tmp, scratch as string, 'nginx.pid'), 'utf8')));
  t.is(nginx.length, 2, 'a master and a worker');
  process.kill(nginx[0]?.pid as number, 'SIGKILL');
  await untilGone(nginx);
  t.is(await until('the session', () => processOf(session.url)), before);
  t.regex(run.output(), /nginx was killed \(SIGKILL\), starting it again/);
});

test.serial('a killed daemon is started again and knows its sessions', async (t) => {
  const run = await start(t);
  await run.ready();
  const session = await init(run);
  const before = await until('the session', () => processOf(session.url));
  const daemon = (await run.processes()).filter(({ title }) => title.includes('daemon/main.ts'));
  process.kill(daemon[0]?.pid as number, 'SIGKILL');
  await untilGone(daemon);
  const known = () =>
    fetch(`${run.apiUrl}/sessions/${session.id}`).then(
      (answer) => answer.ok,
      () => false,
    );
  await until('the daemon to know the session', known);
  t.is(await processOf(session.url), before);
  t.regex(run.output(), /the daemon was killed \(SIGKILL\), starting it again/);

  run.child.kill('SIGINT');
  t.is(await run.exited, 0);
  t.deepEqual(await family(before), []);
});

test.serial('a state folder in use is refused, and its sessions live on', async (t) => {
  const stateDir = join(await appFolder(t), 'state');
  const first = await start(t, [`--state-dir=${stateDir}`]);
  await first.ready();
  const session = await init(first);
  const before = await processOf(session.url);
  const second = await start(t, [], { env: { SPAWNER_STATE_DIR: stateDir } });
  t.is(await second.exited, 1);
  t.regex(second.output(), /^error: --state-dir .* is in use by another daemon\n$/);
  t.is(await processOf(session.url), before);
});

test.serial("the user's app runs in the folder where npm was called", async (t) => {
  const run = await start(t, ['--application-command=node my-app.cjs'], {
    env: { INIT_CWD: await appFolder(t) },
  });
  await run.ready();
  const { url } = await init(run);
  t.is(await (await fetch(url)).text(), 'my own app');
});

/** A folder with an app of the user's. */
async function appFolder(t: { teardown: (end: () => Promise<void>) => void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'my app '));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const app = `
    const { HOST, PORT } = process.env;
    require('http').createServer((request, response) => response.end('my own app')).listen(PORT, HOST);
  `;
  await writeFile(join(folder, 'my-app.cjs'), app);
  return folder;
}

/** The process id of a session of the example app; undefined while it can't be reached. */
async function processOf(url: string): Promise<number | undefined> {
  const answer = await fetch(`${url}session`).catch(() => undefined);
  return answer?.ok ? ((await answer.json()) as { pid: number }).pid : undefined;
}

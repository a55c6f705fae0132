/** Access tokens from /init to the app, with a real router and through the daemon's restarts. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { until } from '../support/poll.ts';
import { startWorld, type World } from '../support/world.ts';

const REQUIRED = ['--require-token'];

/** The token that a URL of /init carries. */
function tokenOf(url: string): string {
  const token = new URL(url).searchParams.get('spawner-token');
  if (token === null) throw new Error(`${url} carries no token`);
  return token;
}

const cookie = (token: string) => ({ cookie: `spawner-token=${token}` });

async function renew(world: World, id: string): Promise<string> {
  const answer = await world.daemon.api('POST', `/sessions/${id}/token`);
  if (answer.status !== 200) throw new Error(`it answered ${answer.status}: ${answer.body}`);
  return tokenOf(answer.json.url);
}

/** Waits until the router holds all, and has said so. */
async function filled(world: World): Promise<void> {
  await until('the router to be filled', async () => {
    return (await world.daemon.api('GET', '/readyz')).status === 200;
  });
}

/** What a visitor with this token is told. */
async function status(world: World, id: string, token?: string): Promise<number> {
  return (await world.visit(id, '', token === undefined ? {} : { headers: cookie(token) })).status;
}

/** Has nginx hang. The answer has it go on. */
async function pauseRouter(t: ExecutionContext, { router }: World): Promise<() => void> {
  const nginx = [router.pid(), ...(await router.workerPids())];
  const signal = (name: NodeJS.Signals) => {
    for (const pid of nginx) process.kill(pid, name);
  };
  const resume = () => signal('SIGCONT');
  signal('SIGSTOP');
  t.teardown(resume);
  return resume;
}

for (const line of ['stable', 'current'] as const) {
  test(`${line}: the URL of /init lets in, and another token puts out who came by the first`, async (t) => {
    const world = await startWorld(t, { flags: REQUIRED, router: { line } });
    const { id, url } = await world.init({ wait: 'ready' });
    t.true(url.startsWith(`http://spawner.test/p/${id}/?spawner-token=`));
    const first = tokenOf(url);
    t.is(await status(world, id), 403);
    const entry = await world.visit(id, `?spawner-token=${first}`);
    t.is(entry.status, 303);
    t.true(entry.headers['set-cookie']?.[0]?.startsWith(`spawner-token=${first}; Path=/p/${id}/`));
    t.is(await status(world, id, first), 200);

    const socket = new WebSocket(`ws+unix:${world.router.publicSocket}:/p/${id}/`, {
      headers: cookie(first),
    });
    t.teardown(() => socket.terminate());
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const cut = new Promise((resolve) => socket.once('close', resolve));
    const second = await renew(world, id);
    t.not(second, first);
    t.is(await status(world, id, first), 403);
    t.is(await status(world, id, second), 200);
    await cut;
  });
}

test('the token is shown to who starts the session or renews it, and to nobody else', async (t) => {
  const world = await startWorld(t, { flags: [...REQUIRED, '--public-url', 'https://spawner.test'] });
  const key = { 'idempotency-key': 'one' };
  const { json } = await world.daemon.api('POST', '/init', { wait: 'ready' }, key);
  const { id, url } = json;
  const bare = `https://spawner.test/p/${id}/`;
  t.is((await world.session(id)).json.url, bare);
  t.is((await world.daemon.api('GET', '/sessions')).json.sessions[0].url, bare);
  t.is(
    JSON.parse((await world.visit(id, 'env', { headers: cookie(tokenOf(url)) })).body).SPAWNER_PUBLIC_URL,
    bare,
  );
  const again = await world.daemon.api('POST', '/init', { wait: 'ready' }, key);
  t.is(again.headers['idempotency-replayed'], 'true');
  t.is(again.json.url, url);
  const second = await renew(world, id);
  const replay = await world.daemon.api('POST', '/init', { wait: 'ready' }, key);
  t.is(tokenOf(replay.json.url), second);
  t.false([tokenOf(url), second].some((token) => world.daemon.log().includes(token)));
});

test('tokens outlive the daemon, however it ends and whatever the next one requires', async (t) => {
  const world = await startWorld(t, { flags: REQUIRED });
  const { id, url } = await world.init({ wait: 'ready' });
  const second = await renew(world, id);
  await world.daemon.end('SIGKILL');
  await world.restartDaemon(['--require-token=false']);
  await filled(world);
  t.is(await status(world, id, second), 200);
  t.is(await status(world, id, tokenOf(url)), 403);
  t.is(await status(world, id), 403, 'it was started with a token');
  const third = await renew(world, id);
  t.is(await status(world, id, third), 200);
  t.is(await status(world, id, second), 403);

  const open = await world.init({ wait: 'ready' });
  t.false(open.url.includes('?'));
  t.is(await status(world, open.id), 200);
  await world.daemon.end('SIGKILL');
  await world.restartDaemon();
  await until('the session to be known', async () => (await world.session(open.id)).status === 200);
  t.is(await status(world, open.id), 200, 'it was started without');
  const { status: code, json } = await world.daemon.api('POST', `/sessions/${open.id}/token`);
  t.deepEqual([code, json.error.code], [409, 'no_token']);
});

test('another secret makes all tokens invalid, and the next renewal makes one that is valid', async (t) => {
  const world = await startWorld(t, { flags: REQUIRED });
  const { id, url } = await world.init({ wait: 'ready' });
  const secret = join(world.stateDir, 'token-secret');
  t.regex(await readFile(secret, 'utf8'), /^[\w-]{43}$/);
  await world.daemon.end('SIGTERM');
  await rm(secret);
  await world.restartDaemon();
  await until('the old token to be refused', async () => (await status(world, id, tokenOf(url))) === 403);
  await filled(world);
  t.is(await status(world, id, await renew(world, id)), 200);
});

test('a renewal that was noted and not yet told to the router is carried out by the next daemon', async (t) => {
  const world = await startWorld(t, { flags: REQUIRED });
  const { id, url } = await world.init({ wait: 'ready' });
  const resume = await pauseRouter(t, world);
  const renewal = world.daemon.api('POST', `/sessions/${id}/token`).catch(() => undefined);
  await until('it to be noted', async () => {
    const record = await readFile(join(world.stateDir, 'sessions', `${id}.json`), 'utf8');
    return JSON.parse(record).tokenEpoch === 2;
  });
  await world.daemon.end('SIGKILL');
  await renewal;
  resume();
  await world.restartDaemon();
  await until('the old token to be refused', async () => (await status(world, id, tokenOf(url))) === 403);
  await filled(world);
  t.is(await status(world, id, await renew(world, id)), 200);
});

test('a renewal that a router may not know of is no success', async (t) => {
  const world = await startWorld(t, { flags: REQUIRED });
  const { id, url } = await world.init({ wait: 'ready' });
  const resume = await pauseRouter(t, world);
  const { status: code, json } = await world.daemon.api('POST', `/sessions/${id}/token`);
  t.deepEqual([code, json.error.code], [503, 'not_revoked']);
  resume();
  await until('the old token to be refused', async () => (await status(world, id, tokenOf(url))) === 403);
  await filled(world);
  t.is(await status(world, id, await renew(world, id)), 200);
});

test('who has no session gets no token', async (t) => {
  const world = await startWorld(t, { flags: REQUIRED });
  const { id } = await world.init({ wait: 'ready' });
  await world.daemon.api('DELETE', `/sessions/${id}`);
  const ended = await world.daemon.api('POST', `/sessions/${id}/token`);
  t.deepEqual([ended.status, ended.json.error.code], [409, 'session_ended']);
  const unknown = await world.daemon.api('POST', `/sessions/${'a'.repeat(26)}/token`);
  t.deepEqual([unknown.status, unknown.json.error.code], [404, 'unknown_session']);
  t.is((await world.daemon.api('GET', `/sessions/${id}/token`)).status, 405);
});

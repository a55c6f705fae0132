/** Promise 6: a busy session is never reaped, an abandoned one always is, and the API says why. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { startWorld, type World } from '../support/world.ts';

const QUICK = ['--idle-timeout', '400ms'];
const BUSY = '{"active_connections":1,"seconds_inactive":0}';
const IDLE = '{"active_connections":0,"seconds_inactive":3600}';

const ended = (world: World, id: string) =>
  until('the session to end', async () => {
    const { json } = await world.session(id);
    return json.state === 'gone' && json;
  });

/** A session created later that came and went proves that time enough has passed for the idle timeout. */
async function anotherComesAndGoes(world: World): Promise<void> {
  const { id } = await world.init({ wait: 'ready' });
  await ended(world, id);
}

test('router: an open and silent WebSocket keeps its session, its close lets it go', async (t) => {
  const world = await startWorld(t, { flags: QUICK });
  const { id } = await world.init({ wait: 'ready' });
  const socket = await world.connect(id);
  await anotherComesAndGoes(world);
  t.like((await world.session(id)).json, { state: 'ready' });
  socket.send('still here');
  t.is(String((await once(socket, 'message'))[0]), `${id}:still here`);
  socket.terminate();
  t.is((await ended(world, id)).endReason, 'idle');
});

test('router: WebSockets survive a reload, keep their session, and a killed worker takes its counts with it', async (t) => {
  const world = await startWorld(t, { flags: QUICK });
  const { id } = await world.init({ wait: 'ready' });
  const socket = await world.connect(id);
  const workers = await world.router.workerPids();
  await world.router.reload();
  await anotherComesAndGoes(world);
  socket.send('after the reload');
  t.is(String((await once(socket, 'message'))[0]), `${id}:after the reload`);

  const closed = once(socket, 'close');
  for (const pid of workers.filter(isAlive)) process.kill(pid, 'SIGKILL');
  await closed;
  t.is((await ended(world, id)).endReason, 'idle');
});

test('app: its status decides, and one that serves nobody is reaped', async (t) => {
  const world = await startWorld(t, { flags: [...QUICK, '--status', 'app'] });
  const { id } = await world.init({ wait: 'ready' });
  await world.visit(id, 'status', { method: 'PUT', body: BUSY });
  const busy = await until('the status to be read', async () => {
    const { json } = await world.session(id);
    return json.reap.verdict === 'busy' && json;
  });
  t.like(busy.activity, { source: 'app', activeConnections: 1 });
  await world.visit(id, 'status', { method: 'PUT', body: IDLE });
  t.is((await ended(world, id)).endReason, 'idle');
});

test('app: an abandoned tab whose socket stays open does not outweigh what the app says', async (t) => {
  const world = await startWorld(t, { flags: [...QUICK, '--status', 'app'] });
  const { id } = await world.init({ wait: 'ready' });
  const socket = await world.connect(id);
  const closed = once(socket, 'close');
  await world.visit(id, 'status', { method: 'PUT', body: IDLE });
  await closed;
  t.is((await ended(world, id)).endReason, 'idle');
});

test('app: a status that can not be read is never idle, and ends the session after its misses', async (t) => {
  const flags = [...QUICK, '--status', 'app', '--status-misses', '3'];
  const world = await startWorld(t, { flags });
  const bad = ['not json', '{"active_connections":-1,"seconds_inactive":3600}', 'x'.repeat(5000), 'hang'];
  await Promise.all(
    bad.map(async (status) => {
      const { id } = await world.init({ wait: 'ready' });
      await world.visit(id, 'status', { method: 'PUT', body: status });
      const missing = await until('a miss', async () => {
        const { json } = await world.session(id);
        return json.activity?.misses > 0 && json;
      });
      t.is(missing.reap.verdict, 'unknown');
      t.true(missing.reap.missesLeft < 3);
      t.regex(missing.activity.message, /^GET \/status: /);
      t.is((await ended(world, id)).endReason, 'status_unreachable');
    }),
  );
});

test('app: one whose status fails stays as long as requests come, however short they are', async (t) => {
  const flags = ['--idle-timeout', '2s', '--status', 'app', '--status-misses', '1'];
  const world = await startWorld(t, { flags });
  const [used, left] = await Promise.all([world.init({ wait: 'ready' }), world.init({ wait: 'ready' })]);
  const broken = { method: 'PUT', body: 'broken' };
  await Promise.all([used, left].map(({ id }) => world.visit(id, 'status', broken)));
  let over = false;
  const other = ended(world, left.id).finally(() => {
    over = true;
  });
  while (!over) t.is((await world.visit(used.id, 'hello')).status, 200);
  t.is((await other).endReason, 'status_unreachable');
  const { json } = await world.session(used.id);
  t.like(json, { state: 'ready', activity: { source: 'app' } });
  t.true(json.activity.misses > 1);
  t.is((await ended(world, used.id)).endReason, 'status_unreachable');
});

test('app: one too busy to answer is not ended while a router sees somebody connected', async (t) => {
  const flags = [...QUICK, '--status', 'app', '--status-misses', '1'];
  const world = await startWorld(t, { flags });
  const { id } = await world.init({ wait: 'ready' });
  const socket = await world.connect(id);
  await world.visit(id, 'status', { method: 'PUT', body: 'broken' });
  const kept = await until('a miss', async () => {
    const { json } = await world.session(id);
    return json.activity?.misses > 2 && json;
  });
  t.is(kept.state, 'ready');
  socket.terminate();
  t.is((await ended(world, id)).endReason, 'status_unreachable');
});

test('--max-lifetime ends a busy session too', async (t) => {
  const world = await startWorld(t, { flags: ['--max-lifetime', '1500ms'] });
  const { id } = await world.init({ wait: 'ready' });
  const socket = await world.connect(id);
  await once(socket, 'close');
  t.is((await ended(world, id)).endReason, 'max_lifetime');
});

test('while the daemon can not see a router, nobody is reaped by its counts', async (t) => {
  const world = await startWorld(t, { flags: QUICK });
  const { id } = await world.init({ wait: 'ready' });
  const nginx = [world.router.pid(), ...(await world.router.workerPids())];
  const signalAll = (signal: NodeJS.Signals) => nginx.map((pid) => process.kill(pid, signal));
  signalAll('SIGSTOP');
  t.teardown(() => signalAll('SIGCONT'));
  const stuck = await until('the router to be missed', async () => {
    const { json } = await world.session(id);
    return json.reap.verdict === 'unknown' && json;
  });
  t.is(stuck.activity.message, 'a router does not answer');
  t.is(stuck.state, 'ready');
  signalAll('SIGCONT');
  t.is((await ended(world, id)).endReason, 'idle');
});

test('app: while a router hangs, an idle session keeps its door open', async (t) => {
  const world = await startWorld(t, { flags: [...QUICK, '--status', 'app'] });
  const { id } = await world.init({ wait: 'ready' });
  const nginx = [world.router.pid(), ...(await world.router.workerPids())];
  const signalAll = (signal: NodeJS.Signals) => nginx.map((pid) => process.kill(pid, signal));
  await world.visit(id, 'status', { method: 'PUT', body: BUSY });
  signalAll('SIGSTOP');
  t.teardown(() => signalAll('SIGCONT'));
  const { backend } = (await world.session(id)).json;
  await ask(backend, '/status', { method: 'PUT', body: IDLE });
  const kept = await until('it to be kept', async () => {
    const { json } = await world.session(id);
    return json.reap.verdict === 'kept' && json;
  });
  t.is(kept.state, 'ready');
  t.regex(kept.reap.why, /router does not answer/);
  signalAll('SIGCONT');
  t.is((await ended(world, id)).endReason, 'idle');
});

test('who comes while a session is about to be reaped is served or told 503, and never cut', async (t) => {
  const world = await startWorld(t, { flags: ['--idle-timeout', '100ms'] });
  const outcomes = { served: 0, refused: 0 };
  // Visits at many distances from the moment of the decision.
  const rounds = Array.from({ length: 32 }, async (_, round) => {
    const { id } = await world.init({ wait: 'ready' });
    await sleep(90 + round * 4);
    const answer = await world.visit(id, 'hello', { method: 'POST', body: 'x'.repeat(1000) });
    if (answer.status === 200) {
      t.like(JSON.parse(answer.body), { session: id, bytes: 1000 });
      outcomes.served += 1;
    } else {
      t.true([503, 410].includes(answer.status), `${answer.status} ${answer.body}`);
      outcomes.refused += 1;
    }
  });
  await Promise.all(rounds);
  t.log(outcomes);
  t.is(outcomes.served + outcomes.refused, 32);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

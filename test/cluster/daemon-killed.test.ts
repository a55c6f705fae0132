import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { type Answer, ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { isOwnCluster } from './support/cluster.ts';
import { type Installation, install } from './support/install.ts';
import { type Outside, objectsOf, outside } from './support/outside.ts';
import { isReady, killPod, podsOf, routerAddress, signal } from './support/parts.ts';

const ROUNDS = 4;
const USERS = 3;
/** Of each user, at a time. */
const MOST_SESSIONS = 3;
/** A moment is any within so many milliseconds after the daemon is back. */
const MOMENTS = 3_000;

let spawner: Installation;
test.before(async () => {
  spawner = await install({ SPAWNER_STOP_GRACE: '1s' });
});
test.after.always(() => spawner?.remove());

test('killed at any moment, the daemon leaves nothing behind and makes nothing twice', async (t) => {
  const world = await outside(t, spawner);
  const over = new AbortController();
  const users = Array.from({ length: USERS }, () => use(world, over.signal));
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      // The kubelet starts the container again: it is the same Pod, whose Lease is still its own.
      if (isOwnCluster) await killDaemon((pod) => signal(pod, 'SIGKILL'));
      // Another Pod has to wait for the Lease.
      await killDaemon(killPod);
    }
  } finally {
    over.abort();
  }
  const kept = (await Promise.all(users)).flatMap((sessions) => [...sessions]);
  t.log(`${kept.length} sessions are left`);

  // With the same key, each is still the one that it was.
  for (const [key, id] of kept) {
    const answer = await init(world, key);
    t.is(JSON.parse(answer.body).id, id);
    t.is(answer.headers['idempotency-replayed'], 'true');
  }
  const ids = kept.map(([, id]) => id).sort();
  t.deepEqual((await world.living()).map(({ id }) => id).sort(), ids);
  const expected = [...ids.map((id) => `Pod/session-${id}`), ...ids.map((id) => `Service/session-${id}`)];
  let found: string[] = [];
  await until(
    'the others to be gone',
    async () => {
      found = await objectsOf();
      return found.length === expected.length;
    },
    150,
  ).catch(() => {});
  t.deepEqual(found, expected);
  for (const pod of await podsOf('router')) {
    const address = await routerAddress(t, pod);
    for (const id of ids) {
      const { body } = await ask(address, `/p/${id}/session`);
      t.is(JSON.parse(body).session, id);
    }
  }
});

/** Starts sessions and ends them, as a web app's backend does that tries again until it has an answer; what it keeps. */
async function use(world: Outside, over: AbortSignal): Promise<Map<string, string>> {
  const sessions = new Map<string, string>();
  const ends: Promise<void>[] = [];
  while (!over.aborted) {
    const key = randomBytes(8).toString('hex');
    sessions.set(key, await insist(() => startOnce(world, key)));
    const [oldest] = sessions;
    if (!oldest || sessions.size <= MOST_SESSIONS) continue;
    sessions.delete(oldest[0]);
    ends.push(insist(() => end(world, oldest[1])));
  }
  await Promise.all(ends);
  return sessions;
}

function init(world: Outside, key: string): Promise<Answer> {
  return world.api('POST', '/init', { wait: 'ready' }, { 'idempotency-key': key });
}

async function startOnce(world: Outside, key: string): Promise<string> {
  const answer = await init(world, key);
  if (answer.status !== 201) throw new Error(answer.body);
  return JSON.parse(answer.body).id;
}

async function end(world: Outside, id: string): Promise<void> {
  const { status, body } = await world.api('DELETE', `/sessions/${id}`);
  // A daemon that was killed meanwhile has no memory of it.
  if (status !== 204 && status !== 404) throw new Error(body);
}

async function insist<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries > 500) throw error;
      await sleep(200);
    }
  }
}

/** Waits until a daemon is ready, and some moment more, and kills it. Resolves when there is a ready one again. */
async function killDaemon(kill: (pod: Awaited<ReturnType<typeof podsOf>>[number]) => Promise<void>) {
  const before = await readyDaemon();
  await sleep(randomInt(MOMENTS));
  await kill(before.pod);
  await until('another daemon to be ready', async () => (await readyDaemon()).run !== before.run, 90);
}

async function readyDaemon() {
  return until(
    'a daemon to be ready',
    async () => {
      const pod = (await podsOf('daemon')).find(isReady);
      return pod && { pod, run: `${pod.metadata?.uid} ${pod.status?.containerStatuses?.[0]?.restartCount}` };
    },
    90,
  );
}

import type { ExecutionContext } from 'ava';
import type { WebSocket } from 'ws';
import { type Address, type Answer, ask, type Call } from '../../support/http.ts';
import { until } from '../../support/poll.ts';
import { theCluster } from './cluster.ts';
import { openWebSocket } from './example-app.ts';
import type { Installation } from './install.ts';
import { reach, type Target } from './reach.ts';
import { within } from './within.ts';

const SESSIONS = 'spawner-sessions';
/** Requests are held for 30 s at most, and a session starts well within this. */
const ANSWER_SECONDS = 60;
/** A kubelet takes seconds to let go of a Pod, and looks again after a minute if that fails at first. */
const GONE_SECONDS = 150;

/** A session as the daemon's API tells it. */
export interface SessionView {
  id: string;
  url: string;
  state: string;
  labels: Record<string, string>;
  endReason?: string;
  endedAt?: string;
  failure?: { code: string; message: string; output: string[]; exitCode?: number };
  output?: string[];
  activity?: { source: string; activeConnections: number };
  reap?: { verdict: string; why: string };
}

/** Spawner as the web app's backend and browsers meet it. */
export interface Outside {
  /** Where the routers' Service answers. */
  router(): Promise<Address>;
  /** With the API's token. */
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** POST /init that is expected to succeed; the app runs then. */
  start(body?: object): Promise<SessionView>;
  session(id: string): Promise<SessionView>;
  /** All that live; the answer of /sessions without those that ended. */
  living(): Promise<SessionView[]>;
  /** DELETE, as often as it takes. */
  end(id: string): Promise<void>;
  visit(id: string, rest?: string): Promise<Answer>;
  /** An open WebSocket to the example app. */
  connect(id: string): Promise<WebSocket>;
  untilState(id: string, state: string): Promise<SessionView>;
  /** Waits until a session that is made now and that nobody uses has been reaped. */
  untilOneIsReaped(): Promise<void>;
  /** Waits until the session has ended, its URL says so, and neither a Pod nor a Service of it is left. */
  untilGone(id: string): Promise<void>;
}

export interface Way {
  /** How long an answer may take. */
  answerSeconds?: number;
  daemon?: Target;
  router?: Target;
}

/**
 * As seen through the Services of an installation, unless another way is given, for as long as the test runs.
 * A failing test tells its story.
 */
export async function outside(t: ExecutionContext, spawner: Installation, way: Way = {}): Promise<Outside> {
  const { answerSeconds = ANSWER_SECONDS } = way;
  t.teardown(async () => {
    if (!t.passed) t.log(await spawner.dump());
  });
  const daemon = reached(t, way.daemon ?? service('spawner-daemon'));
  const router = reached(t, way.router ?? service('spawner-router'));

  async function askOf(where: Reached, path: string, call: Call = {}): Promise<Answer> {
    try {
      return await within(answerSeconds, path, ask(await where.address(), path, call));
    } catch (error) {
      where.lost();
      throw error;
    }
  }

  async function api(method: string, path: string, body?: unknown, more?: Record<string, string>) {
    const headers = {
      authorization: `Bearer ${spawner.apiToken}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...more,
    };
    const call = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    return askOf(daemon, path, call);
  }

  async function expected(status: number, answer: Promise<Answer>) {
    const { status: found, body } = await answer;
    if (found !== status) throw new Error(`expected ${status}, got ${found}: ${body}`);
    return JSON.parse(body);
  }

  const start = (body: object = {}) => expected(201, api('POST', '/init', { wait: 'ready', ...body }));
  const session = (id: string) => expected(200, api('GET', `/sessions/${id}`));
  const visit = (id: string, rest = '') => askOf(router, `/p/${id}/${rest}`);

  async function end(id: string): Promise<void> {
    await until(
      `session ${id} to end`,
      async () => {
        const { status, body } = await api('DELETE', `/sessions/${id}`);
        // It answers after 30 s, and a kubelet may take longer.
        if (status !== 204 && status !== 503) throw new Error(`expected 204, got ${status}: ${body}`);
        return status === 204;
      },
      GONE_SECONDS,
    );
  }

  async function untilState(id: string, state: string): Promise<SessionView> {
    return until(
      `session ${id} to be ${state}`,
      async () => {
        const found = await session(id);
        return found.state === state && found;
      },
      GONE_SECONDS,
    );
  }

  async function untilOneIsReaped(): Promise<void> {
    const { id } = await start();
    await until(`session ${id} to be reaped`, async () => hasEnded(await session(id)), GONE_SECONDS);
    const { endReason } = await session(id);
    if (endReason !== 'idle') throw new Error(`session ${id} was not reaped: ${endReason}`);
  }

  async function untilGone(id: string): Promise<void> {
    // A visit would keep it.
    await until(`session ${id} to end`, async () => hasEnded(await session(id)), GONE_SECONDS);
    await until(`the URL of ${id} to say so`, async () => (await visit(id)).status === 410);
    await until(
      `Pod and Service of ${id} to go`,
      async () => (await objectsOf(id)).length === 0,
      GONE_SECONDS,
    );
  }

  return {
    router: router.address,
    api,
    start,
    session,
    living: async () => {
      const { sessions } = await expected(200, api('GET', '/sessions?limit=1000'));
      return sessions.filter(({ state }: SessionView) => !['gone', 'failed'].includes(state));
    },
    end,
    visit,
    connect: async (id) => openWebSocket(t, await router.address(), id),
    untilState,
    untilOneIsReaped,
    untilGone,
  };
}

interface Reached {
  address(): Promise<Address>;
  /** It did not answer: in another cluster than our own, the way to it may have ended with a Pod. */
  lost(): void;
}

function service(name: string): Target {
  return { namespace: 'spawner', kind: 'service', name, port: 80 };
}

function reached(t: ExecutionContext, target: Target): Reached {
  let found: Promise<Address> | undefined;
  return {
    address() {
      found ??= reach(t, target);
      return found;
    },
    lost() {
      found = undefined;
    },
  };
}

function hasEnded({ endReason, failure }: SessionView): boolean {
  return endReason !== undefined || failure !== undefined;
}

/** Names of all Pods and Services of one session, or of all, such as `Pod/session-…`. */
export async function objectsOf(id?: string): Promise<string[]> {
  const { core } = theCluster();
  const labelSelector = id === undefined ? 'spawner/session' : `spawner/session=${id}`;
  const scope = { namespace: SESSIONS, labelSelector };
  const [pods, services] = await Promise.all([
    core.listNamespacedPod(scope),
    core.listNamespacedService(scope),
  ]);
  return [
    ...pods.items.map(({ metadata }) => `Pod/${metadata?.name}`),
    ...services.items.map(({ metadata }) => `Service/${metadata?.name}`),
  ].sort();
}

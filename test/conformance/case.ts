import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mode } from '../../daemon/public-url.ts';
import { SHARDS, shardOfPort } from '../../njs/shard.ts';
import { until } from '../support/poll.ts';
import type { Stack } from '../support/router.ts';
import { type App, type Handler, startApp, type Visit } from './app.ts';
import { type Client, dial, exchange, type Reply } from './client.ts';
import type { Flavour, Router, RouteState } from './router.ts';
import type { World } from './world.ts';

/** A session of one row: its route in a router, and its app. */
export interface Session {
  id: string;
  router: Router;
  /** Where its app listens. */
  address: string;
  /** What its app was asked, in order. */
  visits: Visit[];
  /** The Host header of its URL, and that with `http://` or `https://`. */
  host: string;
  origin: string;
  /** The request target whose rest is this, as browsers send it. */
  target(rest: string): string;
  /** Writes its route anew. */
  put(state: RouteState, address?: string): Promise<void>;
  /** The bytes of a GET, whose connection ends with it; `headers` are lines. */
  head(rest: string, headers?: string[], method?: string): string;
  get(rest: string, headers?: string[], method?: string): Promise<Reply>;
  /** A connection to its router, closed with the row. */
  dial(): Client;
}

export interface GuardedSession extends Session {
  token: string;
  /** Has its route ask for another token from now on. */
  revoke(): Promise<void>;
}

/** What a row has to work with: made for it, and taken down after it. */
export interface Case {
  mode: Mode;
  stack: Stack;
  router(flavour?: Flavour): Promise<Router>;
  /** A session that is ready, whose app answers by `handler`. The first is A, the second B. */
  session(handler?: Handler, flavour?: Flavour): Promise<Session>;
  /** One that asks its visitors for an access token. */
  guarded(handler?: Handler): Promise<GuardedSession>;
  /** Is called when the row is over. */
  after(cleanup: () => unknown): void;
  until(probe: () => unknown): Promise<void>;
  /** A number once it has stayed the same for a while: when all that can move has moved. */
  settled(read: () => number): Promise<number>;
  /** Only for rows that say that nothing happens meanwhile. */
  pause(ms: number): Promise<void>;
}

export interface RunningCase extends Case {
  /** Puts the words of row.ts in place of what is different each time. */
  normal(text: string): string;
  end(): Promise<void>;
}

export function newCase(world: World): RunningCase {
  const sessions: Session[] = [];
  const cleanups: (() => unknown)[] = [];
  async function start(handler?: Handler, flavour?: Flavour, digest?: string): Promise<Session> {
    const [router, app] = await Promise.all([world.router(flavour), startApp(handler)]);
    cleanups.push(() => app.stop());
    const session = sessionOf(world.mode, router, app, cleanups, digest);
    sessions.push(session);
    await session.put('ready');
    return session;
  }
  return {
    mode: world.mode,
    stack: world.stack,
    router: world.router,
    after: (cleanup) => void cleanups.push(cleanup),
    until: async (probe) => void (await until('what the row waits for', async () => Boolean(await probe()))),
    async settled(read) {
      for (let value = read(), same = 0; ; value = read()) {
        await sleep(20);
        same = read() === value ? same + 1 : 0;
        if (same === 10) return value;
      }
    },
    pause: async (ms) => void (await sleep(ms)),
    session: (handler, flavour) => start(handler, flavour),
    async guarded(handler) {
      const token = newToken();
      const session = await start(handler, 'plain', digestOf(token));
      const revoke = () => session.router.put(session.id, 'ready', session.address, digestOf(newToken()));
      return Object.assign(session, { token, revoke });
    },
    normal: (text) =>
      sessions.reduce((changed, { id, host, address }, index) => {
        const name = String.fromCharCode(65 + index);
        return changed
          .replaceAll(address, `<${name} backend>`)
          .replaceAll(host, index === 0 ? '<host>' : `<${name} host>`)
          .replaceAll(id, `<${name}>`);
      }, text),
    async end() {
      for (const cleanup of cleanups.reverse()) await cleanup();
    },
  };
}

function sessionOf(
  mode: Mode,
  router: Router,
  app: App,
  cleanups: (() => unknown)[],
  digest?: string,
): Session {
  const id = newId(app.address);
  const host = mode === 'host' ? `${id}.apps.test` : 'spawner.test';
  const target = (rest: string) => (mode === 'host' ? rest : `/p/${id}${rest}`);
  const session: Session = {
    ...{ id, router, host, target },
    address: app.address,
    visits: app.visits,
    origin: `${router.place.tls ? 'https' : 'http'}://${host}`,
    put: (state, address = app.address) => router.put(id, state, address, digest),
    head: (rest, headers = [], method = 'GET') =>
      [`${method} ${target(rest)} HTTP/1.1`, `Host: ${host}`, 'Connection: close', ...headers, '', ''].join(
        '\r\n',
      ),
    async get(rest, headers, method) {
      const reply = await exchange(router.place, session.head(rest, headers, method), method);
      if (!reply) throw new Error('the router closed the connection without an answer');
      return reply;
    },
    dial() {
      const client = dial(router.place);
      cleanups.push(() => client.close());
      return client;
    },
  };
  return session;
}

/** As the daemon makes them: 26 of a-z and 0-9. */
/** Of the shard that the app's port belongs to, as the daemon would choose them. */
function newId(address: string): string {
  const rest = Array.from(randomBytes(25), (byte) => SHARDS.charAt(byte % SHARDS.length)).join('');
  return shardOfPort(Number(address.split(':')[1])) + rest;
}

/** As long as the daemon's; the router knows only its digest. */
function newToken(): string {
  return randomBytes(32).toString('base64url');
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

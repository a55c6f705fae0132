import { codeOf } from '../ask.ts';
import type { Case, GuardedSession } from '../case.ts';
import { framesOn } from '../frames.ts';
import type { Check } from '../row.ts';
import { accept, handshake } from '../web-sockets.ts';

/** What becomes of a GET to a guarded session, by these header lines. */
async function ask(
  c: Case,
  make: (session: GuardedSession) => [rest: string, headers?: string[], method?: string],
) {
  const session = await c.guarded();
  const [rest, headers, method] = make(session);
  const reply = await session.get(rest, headers, method);
  return `${session.visits.length === 0 ? 'nobody' : 'A'}: ${reply.status} ${codeOf(reply.body)}`.trim();
}

const cookie = ({ token }: GuardedSession) => `Cookie: spawner-token=${token}`;

export const tokens: Check[] = [
  {
    id: 'token-entry',
    says: 'a URL with the right token leads to the one without it, and sets a cookie',
    expected: {
      path: '303 /p/<A>/x?a=%2f&b; spawner-token=(the token); Path=/p/<A>/; HttpOnly; SameSite=Lax; no-referrer, no-store',
      'path-kept':
        '303 /p/<A>/x?a=%2f&b; spawner-token=(the token); Path=/p/<A>/; HttpOnly; SameSite=Lax; no-referrer, no-store',
      host: '303 /x?a=%2f&b; spawner-token=(the token); Path=/; HttpOnly; SameSite=Lax; no-referrer, no-store',
    },
    see: async (c) => {
      const session = await c.guarded();
      const reply = await session.get(`/x?a=%2f&spawner-token=${session.token}&b`);
      const names = ['set-cookie', 'referrer-policy', 'cache-control'];
      const [set, referrer, cache] = names.map((name) =>
        reply.header(name)?.replace(session.token, '(the token)'),
      );
      return `${reply.status} ${reply.header('location')}; ${set}; ${referrer}, ${cache}`;
    },
  },
  {
    id: 'token-cookie',
    says: 'with the cookie the session is served, and its app never sees the cookie',
    expected: '200, a=1; b=2',
    see: async (c) => {
      const session = await c.guarded();
      const reply = await session.get('/', [`Cookie: a=1; spawner-token=${session.token}; b=2`]);
      return `${reply.status}, ${session.visits[0]?.header('cookie')}`;
    },
  },
  {
    id: 'token-missing',
    says: 'without it nobody is asked',
    expected: 'nobody: 403 token_required',
    see: (c) => ask(c, () => ['/']),
  },
  {
    id: 'token-wrong',
    says: 'a wrong one is none',
    expected: 'nobody: 403 token_required',
    see: (c) => ask(c, (session) => ['/', [cookie(session).slice(0, -1)]]),
  },
  {
    id: 'token-of-another',
    says: 'the token of another session is none',
    expected: 'nobody: 403 token_required',
    see: async (c) => {
      const other = await c.guarded();
      return ask(c, () => ['/', [cookie(other)]]);
    },
  },
  {
    id: 'token-beside-another',
    says: 'one of several cookies of that name is enough',
    expected: 'A: 200',
    see: (c) => ask(c, (session) => ['/', [`Cookie: spawner-token=wrong; ${cookie(session).slice(8)}`]]),
  },
  {
    id: 'token-post',
    says: 'a token in the URL of anything but a page is none',
    expected: 'nobody: 403 token_required',
    see: (c) => ask(c, ({ token }) => [`/?spawner-token=${token}`, ['Content-Length: 0'], 'POST']),
  },
  {
    id: 'token-starting',
    says: 'it is asked for before a session has started, too',
    expected: '403 token_required',
    see: async (c) => {
      const session = await c.guarded();
      await session.put('starting');
      const reply = await session.get('/');
      return `${reply.status} ${codeOf(reply.body)}`;
    },
  },
  {
    id: 'token-web-socket',
    says: 'and of WebSockets',
    expected: 'without: 403, with: 101',
    see: async (c) => {
      const session = await c.guarded((visit) => void accept(visit));
      const status = async (headers: string[]) => {
        const client = session.dial();
        client.send(handshake(session, '/', headers));
        return (await client.reply())?.status;
      };
      return `without: ${await status([])}, with: ${await status([cookie(session)])}`;
    },
  },
  {
    id: 'token-revoked',
    says: 'once revoked, requests are refused and open WebSockets and streams end',
    expected: '403, WebSocket over, stream over; the connection of another session stays',
    see: async (c) => {
      const serve = (session: GuardedSession) => {
        const socket = session.dial();
        socket.send(handshake(session, '/', [cookie(session)]));
        return socket;
      };
      const session = await c.guarded((visit) => {
        if (visit.header('upgrade')) accept(visit);
        else visit.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
      });
      const other = await c.guarded((visit) => void accept(visit));
      const [socket, bystander, stream] = [serve(session), serve(other), session.dial()];
      stream.send(session.head('/', [cookie(session), 'Accept: text/event-stream']));
      await stream.bytes.until('\n\n');
      await socket.reply();
      await bystander.reply();
      await session.revoke();
      const after = await session.get('/', [cookie(session)]);
      await Promise.all([framesOn(socket.socket, socket.bytes, true).next(), stream.bytes.rest()]);
      const over = await Promise.race([bystander.bytes.ended, c.pause(300)]);
      return `${after.status}, WebSocket over, stream over; the connection of another session ${over ? 'ended' : 'stays'}`;
    },
  },
  {
    id: 'token-not-asked',
    says: 'a session without a token never gets Spawner’s cookie either',
    expected: 'a=1; b=2',
    see: async (c) => {
      const session = await c.session();
      await session.get('/', [
        'Cookie: a=1; spawner-token=x; __Host-spawner-token=y; __Secure-spawner-token=z; b=2',
      ]);
      return session.visits[0]?.header('cookie') ?? 'none';
    },
  },
];

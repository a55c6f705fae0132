import type { Visit } from '../app.ts';
import { codeOf } from '../ask.ts';
import type { Session } from '../case.ts';
import type { Check } from '../row.ts';
import { handshake } from '../web-sockets.ts';

/** Of a request whose answer never ends. */
async function statusOf(session: Session): Promise<number> {
  const client = session.dial();
  client.send(session.head('/'));
  const head = await client.bytes.until('\r\n\r\n');
  client.close();
  return Number(head?.split(' ')[1]);
}

export const limits: Check[] = [
  {
    id: 'slow-loris',
    says: 'who takes longer than the setting (shipped: 15 s) for the head of a request is let go',
    expected: 'let go, nobody asked',
    see: async (c) => {
      const session = await c.session(undefined, 'hasty');
      const client = session.dial();
      client.send(session.head('/').slice(0, -2));
      await client.bytes.rest();
      return `let go, ${session.visits.length === 0 ? 'nobody' : 'A'} asked`;
    },
  },
  {
    id: 'slow-body',
    says: 'who stops in the middle of an upload is let go (shipped: 10 min)',
    expected: 'let go',
    see: async (c) => {
      const session = await c.session(() => {}, 'hasty');
      const client = session.dial();
      client.send(`${session.head('/', ['Content-Length: 10'], 'POST')}hello`);
      await client.bytes.rest();
      return 'let go';
    },
  },
  {
    id: 'long-header',
    says: 'a header of 50 KB is 431',
    expected: '431 headers_too_large, nobody',
    see: async (c) => {
      const session = await c.session();
      const reply = await session.get('/', [`X-Long: ${'x'.repeat(50_000)}`]);
      return `${reply.status} ${codeOf(reply.body)}, ${session.visits.length === 0 ? 'nobody' : 'A'}`;
    },
  },
  {
    id: 'long-header-fits',
    says: 'one of 32 KB arrives',
    expected: '200 32768',
    see: async (c) => {
      const session = await c.session();
      const reply = await session.get('/', [`X-Long: ${'x'.repeat(32_768)}`]);
      return `${reply.status} ${session.visits[0]?.header('x-long')?.length}`;
    },
  },
  {
    id: 'connection-cap',
    says: 'a session that has all its connections open gets no more; others do',
    expected: 'A 429 too_many_connections, B 200, A after one ended 200',
    see: async (c) => {
      const open = (session: Session) => {
        const client = session.dial();
        client.send(session.head('/'));
        return client.bytes.until('\r\n\r\n').then(() => client);
      };
      const forEver = (visit: Visit) => {
        visit.send('HTTP/1.1 200 OK\r\n\r\nfor ever');
      };
      const a = await c.session(forEver, 'strict');
      const b = await c.session(undefined, 'strict');
      const clients = [await open(a), await open(a)];
      const third = await a.get('/');
      const other = await b.get('/');
      clients[0]?.close();
      await c.until(async () => (await statusOf(a)) === 200);
      return `A ${third.status} ${codeOf(third.body)}, B ${other.status}, A after one ended 200`;
    },
  },
  {
    id: 'origin-check',
    says: 'with allowed origins set, pages of others open no WebSocket',
    expected:
      'none: 200, own: 200, friend: 200, evil: 403 origin_refused, null: 403 origin_refused; plain requests: 200',
    see: async (c) => {
      const session = await c.session(undefined, 'strict');
      const origins = {
        none: [],
        own: [session.origin],
        friend: ['https://friend.test'],
        evil: ['https://evil.test'],
        null: ['null'],
      };
      const seen = [];
      for (const [name, origin] of Object.entries(origins)) {
        const client = session.dial();
        client.send(
          handshake(
            session,
            '/',
            origin.map((text) => `Origin: ${text}`),
          ),
        );
        const reply = await client.reply();
        client.close();
        seen.push(`${name}: ${reply?.status} ${codeOf(reply?.body)}`.trim());
      }
      const plain = await session.get('/', ['Origin: https://evil.test']);
      return `${seen.join(', ')}; plain requests: ${plain.status}`;
    },
  },
];

import { plain } from '../app.ts';
import type { Check } from '../row.ts';
import { told } from '../told.ts';

const EFFECTS: [name: string, value: string][] = [
  ['X-Accel-Redirect', '/.spawner/x'],
  ['X-Accel-Limit-Rate', '1'],
  ['X-Accel-Buffering', 'yes'],
  ['X-Accel-Expires', '60'],
  ['X-Accel-Charset', 'koi8-r'],
  ['X-Spawner-Session', 'mine'],
];

export const hops: Check[] = [
  {
    id: 'named-by-connection',
    says: 'Connection can’t be used to take a forwarded header away',
    expected: '127.0.0.1, <A>',
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      client.send(session.head('/').replace('close', 'close, X-Forwarded-For, X-Spawner-Session'));
      await client.reply();
      const visit = session.visits[0];
      return `${visit?.header('x-forwarded-for')}, ${visit?.header('x-spawner-session')}`;
    },
  },
  {
    id: 'hop-by-hop',
    says: 'a header that Connection names goes no further',
    expected: '-',
    limits: [{ on: {}, sees: 'x', because: 'nginx does not read the names in Connection' }],
    see: (c) => told(c, ['x-hop'], ['Connection: X-Hop', 'X-Hop: x']),
  },
  {
    id: 'connection-to-app',
    says: 'of the client’s Connection the app hears nothing but of an upgrade or trailers',
    expected: '-',
    limits: [
      {
        on: { line: 'stable' },
        sees: 'close',
        because: 'connections to apps can be kept from nginx 1.29.6 on',
      },
    ],
    see: (c) => told(c, ['connection'], ['Connection: keep-alive, Upgrade, HTTP2-Settings']),
  },
  {
    id: 'hop-by-hop-back',
    says: 'the app’s own Connection, Keep-Alive and Upgrade go no further',
    expected: 'close, -, -',
    limits: [
      {
        on: {},
        sees: 'close, -, h2c',
        because:
          'nginx passes Upgrade on; without `Connection: upgrade`, which it does not pass, it says nothing',
      },
    ],
    see: async (c) => {
      const session = await c.session((visit) =>
        visit.end(
          'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=9\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n',
        ),
      );
      const reply = await session.get('/');
      return ['connection', 'keep-alive', 'upgrade'].map((name) => reply.header(name) ?? '-').join(', ');
    },
  },
  ...EFFECTS.map(
    ([name, value]): Check => ({
      id: `effect-${name.toLowerCase()}`,
      says: `${name} of an app has no effect and goes no further`,
      expected: '200 text/plain, 100000 bytes at once, -',
      see: async (c) => {
        const body = 'x'.repeat(100_000);
        const session = await c.session((visit) =>
          visit.end(plain(body, 'Content-Type: text/plain', `${name}: ${value}`)),
        );
        const reply = await session.get('/');
        const passed = reply.header(name) ?? '-';
        return `${reply.status} ${reply.header('content-type')}, ${reply.body.length} bytes at once, ${passed}`;
      },
    }),
  ),
];

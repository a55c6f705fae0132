import type { Check } from '../row.ts';
import { told } from '../told.ts';

const SPOOFED: [name: string, value: string, told: Check['expected']][] = [
  ['X-Forwarded-For', '6.6.6.6', '127.0.0.1'],
  ['X-Forwarded-Proto', 'https', 'http'],
  ['X-Forwarded-Host', 'evil.test', '<host>'],
  ['X-Forwarded-Prefix', '/evil', { path: '<prefix>', 'path-kept': '-', host: '-' }],
  ['X-Real-IP', '6.6.6.6', '127.0.0.1'],
  ['Forwarded', 'for=6.6.6.6', 'for=127.0.0.1;host="<host>";proto=http'],
  ['X-Spawner-Session', 'b', '<A>'],
  ['X-Forwarded-Port', '1', '-'],
  ['X-Forwarded-Server', 'evil.test', '-'],
  ['X-Forwarded-Scheme', 'https', '-'],
  ['X-Forwarded-Ssl', 'on', '-'],
  ['X-Original-URL', '/admin', '-'],
  ['X-Rewrite-URL', '/admin', '-'],
  ['X-Script-Name', '/evil', '-'],
  ['X-Client-IP', '6.6.6.6', '-'],
  ['True-Client-IP', '6.6.6.6', '-'],
  ['Proxy', 'http://evil.test', '-'],
  ['Proxy-Authorization', 'Basic x', '-'],
  ['Proxy-Connection', 'keep-alive', '-'],
  ['Keep-Alive', 'timeout=5', '-'],
  ['TE', 'gzip', '-'],
  ['Upgrade', 'h2c', '-'],
  ['HTTP2-Settings', 'AAMAAABkAAQAAP__', '-'],
];

const KEPT = [
  'Cookie: a=b; c="d e"',
  'Authorization: Bearer x',
  'Origin: https://elsewhere.test',
  'Referer: http://<host>/p/x',
  'Accept-Encoding: gzip, br',
  'User-Agent: odd/1 (\xff)',
  'If-None-Match: "e"',
  'X-Own: kept',
  'x-own: twice',
];

const PLAIN = [
  'Host: <host>',
  'X-Real-IP: 127.0.0.1',
  'X-Forwarded-For: 127.0.0.1',
  'X-Forwarded-Proto: http',
  'X-Forwarded-Host: <host>',
  'Forwarded: for=127.0.0.1;host="<host>";proto=http',
  'X-Spawner-Session: <A>',
];

export const forwarding: Check[] = [
  ...SPOOFED.map(
    ([name, value, expected]): Check => ({
      expected,
      id: `sent-${name.toLowerCase()}`,
      says:
        expected === '-'
          ? `${name} of a client never arrives`
          : `${name} is set by the router, whatever came`,
      see: (c) => told(c, [name], [`${name}: ${value}`, `${name.toLowerCase()}: ${value}`]),
    }),
  ),
  {
    id: 'underscores',
    says: 'names with `_`, which apps mistake for those with `-`, never arrive',
    expected: '-, -',
    see: (c) =>
      told(c, ['x_forwarded_for', 'x_spawner_session'], ['X_Forwarded_For: 6.6.6.6', 'X_Spawner_Session: b']),
  },
  {
    id: 'told-all',
    says: 'of a plain GET the app hears this and, but for Connection, nothing else (order is not promised)',
    expected: {
      path: [...PLAIN, 'X-Forwarded-Prefix: /p/<A>'].sort().join(', '),
      'path-kept': [...PLAIN].sort().join(', '),
      host: [...PLAIN].sort().join(', '),
    },
    see: async (c) => {
      const session = await c.session();
      await session.get('/');
      // Sorted by what is the same each time.
      const name = (line: string) => line.slice(0, line.indexOf(':'));
      const headers = session.visits[0]?.headers ?? [];
      const others = headers.filter((line) => name(line) !== 'Connection');
      return others.sort((one, other) => (name(one) < name(other) ? -1 : 1)).join(', ');
    },
  },
  {
    id: 'told-host',
    says: 'Host arrives as the client sent it',
    expected: '<host>',
    see: (c) => told(c, ['host']),
  },
  {
    id: 'told-host-port',
    says: 'Host and X-Forwarded-Host with its port',
    expected: '<host>:8443, <host>:8443',
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      client.send(session.head('/').replace(`Host: ${session.host}`, `Host: ${session.host}:8443`));
      await client.reply();
      return ['host', 'x-forwarded-host'].map((name) => session.visits[0]?.header(name)).join(', ');
    },
  },
  {
    id: 'kept',
    says: 'everything else arrives as it was sent, in its order',
    expected: KEPT.join(', '),
    see: async (c) => {
      const session = await c.session();
      const lines = KEPT.map((line) => line.replace('<host>', session.host));
      await session.get('/', lines);
      const names = new Set(KEPT.map((line) => line.slice(0, line.indexOf(':')).toLowerCase()));
      const kept = session.visits[0]?.headers.filter((line) =>
        names.has(line.slice(0, line.indexOf(':')).toLowerCase()),
      );
      // nginx puts those it sets itself first.
      return (kept ?? []).sort((a, b) => lines.indexOf(a) - lines.indexOf(b)).join(', ');
    },
  },
];

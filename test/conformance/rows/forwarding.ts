import type { Case } from '../case.ts';
import type { Flavour } from '../router.ts';
import type { Row } from '../row.ts';

const group = 'Forwarding';

/** The app's view of some headers, of a GET with these lines. Absent ones are `-`. */
async function told(c: Case, names: string[], lines: string[] = [], flavour?: Flavour): Promise<string> {
  const session = await c.session(undefined, flavour);
  await session.get('/', lines);
  const visit = session.visits[0];
  return names.map((name) => visit?.header(name) ?? '-').join(', ');
}

const SPOOFED: [name: string, value: string, told: Row['expected']][] = [
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

const EFFECTS: [name: string, value: string][] = [
  ['X-Accel-Redirect', '/.spawner/x'],
  ['X-Accel-Limit-Rate', '1'],
  ['X-Accel-Buffering', 'yes'],
  ['X-Accel-Expires', '60'],
  ['X-Accel-Charset', 'koi8-r'],
  ['X-Spawner-Session', 'mine'],
];

export const forwarding: Row[] = [
  ...SPOOFED.map(
    ([name, value, expected]): Row => ({
      ...{ group, expected, id: `sent-${name.toLowerCase()}` },
      says:
        expected === '-'
          ? `${name} of a client never arrives`
          : `${name} is set by the router, whatever came`,
      see: (c) => told(c, [name], [`${name}: ${value}`, `${name.toLowerCase()}: ${value}`]),
    }),
  ),
  {
    ...{
      group,
      id: 'underscores',
      says: 'names with `_`, which apps mistake for those with `-`, never arrive',
    },
    expected: '-, -',
    see: (c) =>
      told(c, ['x_forwarded_for', 'x_spawner_session'], ['X_Forwarded_For: 6.6.6.6', 'X_Spawner_Session: b']),
  },
  {
    ...{ group, id: 'host', says: 'Host arrives as the client sent it', expected: '<host>' },
    see: (c) => told(c, ['host']),
  },
  {
    ...{
      group,
      id: 'host-port',
      says: 'Host and X-Forwarded-Host with its port',
      expected: '<host>:8443, <host>:8443',
    },
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      client.send(session.head('/').replace(`Host: ${session.host}`, `Host: ${session.host}:8443`));
      await client.reply();
      return ['host', 'x-forwarded-host'].map((name) => session.visits[0]?.header(name)).join(', ');
    },
  },
  {
    ...{ group, id: 'kept', says: 'everything else arrives as it was sent, in its order' },
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
  {
    ...{ group, id: 'named-by-connection', says: 'Connection can’t be used to take a forwarded header away' },
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
    ...{ group, id: 'hop-by-hop', says: 'a header that Connection names goes no further' },
    expected: '-',
    limits: [{ on: {}, sees: 'x', because: 'nginx does not read the names in Connection' }],
    see: (c) => told(c, ['x-hop'], ['Connection: X-Hop', 'X-Hop: x']),
  },
  {
    ...{
      group,
      id: 'connection-to-app',
      says: 'the app hears `Connection: close`, or of an upgrade or trailers',
    },
    expected: 'close',
    see: (c) => told(c, ['connection'], ['Connection: keep-alive, Upgrade, HTTP2-Settings']),
  },
  {
    ...{ group, id: 'untrusted-proxy', says: 'a proxy that is not trusted is a client' },
    expected: '127.0.0.1, http, <host>',
    see: (c) =>
      told(
        c,
        ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'],
        ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: public.test'],
      ),
  },
  {
    ...{ group, id: 'trusted-proxy', says: 'of a trusted proxy, what it says of its client arrives' },
    expected: '192.0.2.1, 192.0.2.1, https, public.test',
    see: (c) =>
      told(
        c,
        ['x-forwarded-for', 'x-real-ip', 'x-forwarded-proto', 'x-forwarded-host'],
        ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: public.test'],
        'trusting',
      ),
  },
  {
    ...{
      group,
      id: 'trusted-chain',
      says: 'only what trusted proxies added: a client’s own claim before it is dropped',
    },
    expected: '192.0.2.1',
    see: (c) => told(c, ['x-forwarded-for'], ['X-Forwarded-For: 6.6.6.6, 192.0.2.1, 127.0.0.9'], 'trusting'),
  },
  {
    ...{ group, id: 'trusted-nonsense', says: 'nonsense of a trusted proxy is not passed on' },
    expected: 'http, <host>',
    see: (c) =>
      told(
        c,
        ['x-forwarded-proto', 'x-forwarded-host'],
        ['X-Forwarded-Proto: gopher', 'X-Forwarded-Host: evil.test/x?y'],
        'trusting',
      ),
  },
  ...EFFECTS.map(
    ([name, value]): Row => ({
      ...{
        group,
        id: `effect-${name.toLowerCase()}`,
        says: `${name} of an app has no effect and goes no further`,
      },
      expected: '200 text/plain "the body" -',
      see: async (c) => {
        const session = await c.session((visit) =>
          visit.end(
            `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n${name}: ${value}\r\nContent-Length: 8\r\n\r\nthe body`,
          ),
        );
        const reply = await session.get('/');
        const type = reply.header('content-type');
        return `${reply.status} ${type} ${JSON.stringify(reply.body)} ${reply.header(name) ?? '-'}`;
      },
    }),
  ),
  {
    ...{
      group,
      id: 'hop-by-hop-back',
      says: 'the app’s own Connection, Keep-Alive and Upgrade go no further',
    },
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
];

import type { Visit } from '../app.ts';
import type { Session } from '../case.ts';
import type { Row } from '../row.ts';
import { codeOf } from './target.ts';
import { handshake } from './web-socket.ts';

const group = 'Safety';

/** Requests that parsers read in more than one way; each carries a second request that must never be seen. */
const SMUGGLED = (session: Session) => session.head('/smuggled');
const SMUGGLING: [id: string, says: string, make: (session: Session) => string][] = [
  [
    'cl-te',
    'Content-Length beside Transfer-Encoding',
    (s) => post(s, ['Content-Length: 4', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  ],
  [
    'te-cl',
    'the same the other way round',
    (s) => post(s, ['Transfer-Encoding: chunked', 'Content-Length: 4'], '0\r\n\r\n'),
  ],
  ['cl-cl', 'two Content-Lengths', (s) => post(s, ['Content-Length: 0', 'Content-Length: 9'])],
  ['cl-list', '`Content-Length: 0, 9`', (s) => post(s, ['Content-Length: 0, 9'])],
  ['cl-plus', '`Content-Length: +0`', (s) => post(s, ['Content-Length: +0'])],
  ['cl-hex', '`Content-Length: 0x0`', (s) => post(s, ['Content-Length: 0x0'])],
  ['cl-negative', '`Content-Length: -1`', (s) => post(s, ['Content-Length: -1'])],
  ['te-other', '`Transfer-Encoding: xchunked`', (s) => post(s, ['Transfer-Encoding: xchunked'], '0\r\n\r\n')],
  [
    'te-list',
    '`Transfer-Encoding: chunked, identity`',
    (s) => post(s, ['Transfer-Encoding: chunked, identity'], '0\r\n\r\n'),
  ],
  [
    'te-te',
    'two Transfer-Encodings',
    (s) => post(s, ['Transfer-Encoding: chunked', 'Transfer-Encoding: x'], '0\r\n\r\n'),
  ],
  [
    'te-http10',
    'chunks in HTTP/1.0',
    (s) => post(s, ['Transfer-Encoding: chunked'], '0\r\n\r\n').replace('HTTP/1.1', 'HTTP/1.0'),
  ],
  [
    'space-colon',
    '`Transfer-Encoding : chunked`',
    (s) => post(s, ['Transfer-Encoding : chunked', 'Content-Length: 5'], '0\r\n\r\n'),
  ],
  [
    'chunk-size',
    'a chunk’s size that is no number',
    (s) => post(s, ['Transfer-Encoding: chunked'], 'g\r\n\r\n0\r\n\r\n'),
  ],
  [
    'chunk-overflow',
    'a chunk’s size beyond 64 bits',
    (s) => post(s, ['Transfer-Encoding: chunked'], `1${'0'.repeat(16)}\r\n\r\n0\r\n\r\n`),
  ],
  ['nul', 'a NUL in a header', (s) => post(s, ['X-Nul: a\0b', 'Content-Length: 0'])],
];

function post(session: Session, headers: string[], body = ''): string {
  return session.head('/', headers, 'POST').replace('Connection: close\r\n', '') + body;
}

/** Addresses that no route may have, whatever ranges are allowed; and some that this router's ranges do not allow. */
const REFUSED_ADDRESSES = [
  '169.254.169.254:80',
  '169.254.0.1:80',
  '100.100.100.200:80',
  '0.0.0.0:80',
  '224.0.0.1:80',
  '255.255.255.255:80',
  '10.0.0.1:80',
  '[fe80::1]:80',
  '[ff02::1]:80',
  '[::]:80',
  '[::ffff:7f00:1]:80',
  '[fd00:ec2::254]:80',
];

const NO_ADDRESSES = [
  'spawner_pool',
  'localhost:80',
  'unix:/tmp/x',
  '127.0.0.1',
  '127.1:80',
  '127.0.0.1:0',
  '0x7f.0.0.1:80',
  '127.0.0.1:80/x',
];

export const safety: Row[] = [
  ...SMUGGLING.map(
    ([id, says, make]): Row => ({
      ...{ group, id: `smuggling-${id}`, says: `${says}: no second request is made of what follows` },
      expected: 'nothing smuggled',
      see: async (c) => {
        const session = await c.session();
        const client = session.dial();
        client.send(
          make(session) + SMUGGLED(session).replaceAll(session.target('/smuggled'), session.target('/next')),
        );
        await client.bytes.rest();
        const lines = session.visits.map(({ line }) => line);
        // What follows a refused request is not read any more; what follows a served one is a request of its own.
        const bad = lines.filter((line) => !/^POST \S*\/ HTTP/.test(line));
        return bad.length === 0 ? 'nothing smuggled' : bad.join(', ');
      },
    }),
  ),
  {
    ...{
      group,
      id: 'body-is-body',
      says: 'what looks like a request in a body is the body',
      expected: 'POST 1, 200, GET 0, 200',
    },
    see: async (c) => {
      const seen: string[] = [];
      const session = await c.session(async (visit) => {
        const inside = (await visit.body()).includes('/smuggled') ? 1 : 0;
        seen.push(`${visit.line.split(' ')[0]} ${inside}`);
        visit.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      });
      const client = session.dial();
      const body = SMUGGLED(session);
      client.send(post(session, [`Content-Length: ${body.length}`], body) + session.head('/'));
      const first = await client.reply();
      const second = await client.reply();
      return `${seen[0]}, ${first?.status}, ${seen[1]}, ${second?.status}`;
    },
  },
  {
    ...{ group, id: 'h2c-preface', says: 'HTTP/2 without TLS is not spoken', expected: 'nobody' },
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
      const answer = await client.bytes.rest();
      return answer.startsWith('\0') ? 'HTTP/2' : session.visits.length === 0 ? 'nobody' : 'A';
    },
  },
  {
    ...{ group, id: 'odd-versions', says: 'other versions of HTTP reach nobody, or the app as HTTP/1.1' },
    expected: 'HTTP/1.2: A, HTTP/2.0: nobody, HTTP/3: nobody, http/1.1: nobody, HTTP/0.9: nobody',
    see: async (c) => {
      const seen = [];
      for (const version of ['HTTP/1.2', 'HTTP/2.0', 'HTTP/3', 'http/1.1', 'HTTP/0.9']) {
        const session = await c.session();
        const client = session.dial();
        client.send(session.head('/').replace('HTTP/1.1', version));
        await client.bytes.rest();
        seen.push(`${version}: ${session.visits.length === 0 ? 'nobody' : 'A'}`);
      }
      return seen.join(', ');
    },
  },
  {
    ...{ group, id: 'admin-api', says: 'the admin API is not at the public address' },
    expected: '/v1/health no, /v1/routes no, /healthz no',
    see: async (c) => {
      const session = await c.session((visit) =>
        visit.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\napp'),
      );
      const seen = [];
      for (const path of ['/v1/health', '/v1/routes', '/healthz']) {
        const client = session.dial();
        client.send(session.head(path).replace(session.target(path), path));
        const { body = '' } = (await client.reply()) ?? {};
        seen.push(`${path} ${/bootId|status/.test(body) ? 'yes' : 'no'}`);
      }
      return seen.join(', ');
    },
  },
  {
    ...{
      group,
      id: 'internal-places',
      says: 'the router’s internal places can’t be asked for',
      expected: { path: 'nobody, nobody', 'path-kept': 'nobody, nobody', host: 'A, A' },
    },
    see: async (c) => {
      const seen = [];
      for (const path of ['/_spawner_hold', '/_spawner_watch']) {
        const session = await c.session();
        const client = session.dial();
        client.send(session.head(path).replace(session.target(path), path));
        const reply = await client.reply();
        seen.push(session.visits.length > 0 ? 'A' : reply?.status === 404 ? 'nobody' : `${reply?.status}`);
      }
      return seen.join(', ');
    },
  },
  {
    ...{
      group,
      id: 'addresses-refused',
      says: 'routes to link-local, metadata and unspecified addresses, multicast or outside the ranges are not taken',
    },
    expected: `refused: ${REFUSED_ADDRESSES.length} of ${REFUSED_ADDRESSES.length}; another of the batch is served`,
    see: async (c) => {
      const session = await c.session();
      const ids = REFUSED_ADDRESSES.map((_, index) => `${session.id.slice(2)}${10 + index}`);
      const routes = ids.map((id, index) => [id, { state: 'ready', address: REFUSED_ADDRESSES[index] }]);
      const put = {
        ...Object.fromEntries(routes),
        [session.id]: { state: 'ready', address: session.address },
      };
      const { admin } = session.router;
      const { body } = await admin.call('POST', '/v1/routes', { generation: 1_000_000, put });
      const taken = ids
        .filter((id) => !body.refused.includes(id))
        .map((id) => REFUSED_ADDRESSES[ids.indexOf(id)]);
      const served = (await session.get('/')).status === 200 ? 'is served' : 'is not';
      return `refused: ${body.refused.length} of ${ids.length}${taken.join(', ')}; another of the batch ${served}`;
    },
  },
  {
    ...{
      group,
      id: 'no-addresses',
      says: 'what is no `ip:port` to the letter, such as the name of an upstream, is no route',
    },
    expected: NO_ADDRESSES.map((address) => `${address} 400`).join(', '),
    see: async (c) => {
      const { admin } = await c.router();
      const seen = [];
      for (const address of NO_ADDRESSES) {
        const put = { ['n'.repeat(26)]: { state: 'ready', address } };
        const { status } = await admin.call('POST', '/v1/routes', { generation: 1, put });
        seen.push(`${address} ${status}`);
      }
      return seen.join(', ');
    },
  },
  {
    ...{ group, id: 'ids-in-logs', says: 'no whole id gets into the router’s log, whatever fails' },
    expected: 'a line about it, without the id',
    see: async (c) => {
      const session = await c.session((visit) => void visit.socket.resetAndDestroy(), 'trusting');
      await session.get('/');
      await session.get('/%00');
      await session.get(`/${'x'.repeat(50_000)}`);
      await session.put('ready', '127.0.0.1:9');
      await session.get('/');
      const leaver = session.dial();
      leaver.send(session.head('/', ['Content-Length: 10'], 'POST'));
      leaver.close();
      const start = session.id.slice(0, 4);
      await c.until(async () => (await session.router.errorLog()).includes(start));
      const lines = (await session.router.errorLog()).split('\n').filter((line) => line.includes(start));
      return lines.some((line) => line.includes(session.id))
        ? lines.join()
        : 'a line about it, without the id';
    },
  },
  {
    ...{
      group,
      id: 'slow-loris',
      says: 'who takes longer than the setting (shipped: 15 s) for the head of a request is let go',
    },
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
    ...{
      group,
      id: 'slow-body',
      says: 'who stops in the middle of an upload is let go (shipped: 10 min)',
      expected: 'let go',
    },
    see: async (c) => {
      const session = await c.session(() => {}, 'hasty');
      const client = session.dial();
      client.send(`${session.head('/', ['Content-Length: 10'], 'POST')}hello`);
      await client.bytes.rest();
      return 'let go';
    },
  },
  {
    ...{
      group,
      id: 'long-header',
      says: 'a header of 50 KB is 431',
      expected: '431 headers_too_large, nobody',
    },
    see: async (c) => {
      const session = await c.session();
      const reply = await session.get('/', [`X-Long: ${'x'.repeat(50_000)}`]);
      return `${reply.status} ${codeOf(reply.body)}, ${session.visits.length === 0 ? 'nobody' : 'A'}`;
    },
  },
  {
    ...{ group, id: 'long-header-fits', says: 'one of 32 KB arrives', expected: '200 32768' },
    see: async (c) => {
      const session = await c.session();
      const reply = await session.get('/', [`X-Long: ${'x'.repeat(32_768)}`]);
      return `${reply.status} ${session.visits[0]?.header('x-long')?.length}`;
    },
  },
  {
    ...{
      group,
      id: 'connection-cap',
      says: 'a session that has all its connections open gets no more; others do',
    },
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
    ...{ group, id: 'origin-check', says: 'with allowed origins set, pages of others open no WebSocket' },
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

/** Of a request whose answer never ends. */
async function statusOf(session: Session): Promise<number> {
  const client = session.dial();
  client.send(session.head('/'));
  const head = await client.bytes.until('\r\n\r\n');
  client.close();
  return Number(head?.split(' ')[1]);
}

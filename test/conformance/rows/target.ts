import { askFor } from '../ask.ts';
import type { Check } from '../row.ts';

/** What follows the session's prefix, and arrives at its app byte for byte. */
const KEPT: [id: string, says: string, rest: string][] = [
  ['root', 'the root', '/'],
  ['plain', 'a path with a query', '/x?q=1'],
  ['encoded-slash', '`%2f` and `%2F` are no slashes and stay as they are', '/up%2Fl%2fow'],
  ['encoded-space', '`%20` and `+` stay', '/a%20b+c'],
  ['encoded-crlf', '`%0d%0a` starts no new line', '/a%0d%0aInjected:%20yes'],
  ['encoded-percent', '`%25`, and so `%252f`, is decoded no further', '/%252f%2525'],
  ['encoded-letters', 'letters that need no encoding stay encoded', '/%61%7E%41'],
  ['encoded-control', 'encoded control characters stay', '/%01%1f%7f'],
  ['encoded-latin1', 'bytes that are no UTF-8 stay encoded', '/%ff%fe'],
  ['encoded-utf8', 'encoded UTF-8 stays encoded', '/caf%C3%A9'],
  ['raw-utf8', 'raw UTF-8 stays raw', '/caf\xc3\xa9'],
  ['raw-bytes', 'raw bytes from 128 on stay', '/\xff\xc3/\x80?\xfe=\xff'],
  ['semicolon', '`;` and what follows it stay', '/x;a=1;b/y;c'],
  ['double-slash', '`//` is not merged', '//x//y//'],
  ['dot', '`/./` stays', '/./x/./'],
  ['dot-dot', '`/../` inside the session stays', '/x/../y'],
  ['encoded-dot-dot', '`%2e%2e` inside the session stays', '/x/%2e%2e/y'],
  ['dots', 'names that begin with dots stay', '/...//..x/.y'],
  ['empty-query', '`?` with nothing after it stays', '/x?'],
  ['repeated-query', 'names may be repeated', '/x?a=1&a=2&a=1'],
  ['valueless-query', 'names without a value or with an empty one', '/x?a&b=&&=c'],
  ['odd-query', 'a query is opaque: `??`, `%`, `%00`, `%zz`, `#`', '/x??a=%&b=%00&c=%zz&d=+#e'],
  ['path-in-query', 'a path in the query is no path', '/x?next=//evil/../../p/other/'],
  ['fragment', '`#` and what follows it stay, though no browser sends them', '/x#fragment'],
  ['punctuation', 'every printable character stays', '/-._~!$&\'()*+,;=:@|^`{}[]<>"\\'],
  ['no-template', 'nothing is taken for a variable of nginx', '/$uri/$1/{{listen}}'],
  ['long', 'a target of 32,000 bytes', `/x?${'y'.repeat(32_000)}`],
];

export const target: Check[] = [
  ...KEPT.map(
    ([id, says, rest]): Check => ({
      says,
      id: `kept-${id}`,
      expected: `GET <base>${rest} HTTP/1.1`,
      see: async (c) => {
        const session = await c.session();
        await session.get(rest);
        return session.visits.map(({ line }) => line).join(', ');
      },
    }),
  ),
  {
    id: 'kept-encoded-nul',
    says: '`%00` in the path stays',
    expected: 'A: GET <base>/a%00b HTTP/1.1',
    limits: [{ on: {}, sees: 'nobody: 400 bad_request', because: 'nginx refuses `%00` in a path' }],
    see: (c) => askFor(c, c.mode === 'host' ? '/a%00b' : '/p/<A>/a%00b'),
  },
  {
    id: 'kept-other-session',
    says: 'what looks like another session’s path is A’s own',
    expected: 'A: GET <base>/p/<B>/x HTTP/1.1',
    see: (c) => askFor(c, c.mode === 'host' ? '/p/<B>/x' : '/p/<A>/p/<B>/x'),
  },
  {
    id: 'kept-way-back',
    says: '`..` that leads back into the same session stays',
    modes: ['path', 'path-kept'],
    expected: 'A: GET <base>/../<A>/x HTTP/1.1',
    see: (c) => askFor(c, '/p/<A>/../<A>/x'),
  },
  {
    id: 'absolute-form',
    says: 'an absolute target, as for a proxy, is its path',
    expected: 'GET <base>/x%2f?y HTTP/1.1',
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      client.send(
        `GET http://${session.host}${session.target('/x%2f?y')} HTTP/1.1\r\nHost: ${session.host}\r\n\r\n`,
      );
      await client.reply();
      return session.visits.map(({ line }) => line).join();
    },
  },
  {
    id: 'slash-added',
    says: '`/p/<A>` is redirected to `/p/<A>/`, its query untouched',
    modes: ['path', 'path-kept'],
    expected: ['/p/<A>/', '/p/<A>/?', '/p/<A>/?a=b', '/p/<A>/?x=//evil.test/%0d%0a&\xfe']
      .map((location) => `308 ${location}`)
      .join(', '),
    see: async (c) => {
      const session = await c.session();
      const queries = ['', '?', '?a=b', '?x=//evil.test/%0d%0a&\xfe'];
      const replies = await Promise.all(queries.map((query) => session.get(query)));
      return replies.map(({ status, header }) => `${status} ${header('location')}`).join(', ');
    },
  },
];

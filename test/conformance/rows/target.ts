import { plain } from '../app.ts';
import type { Case } from '../case.ts';
import type { Row } from '../row.ts';

const group = 'Request target';

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

/** Targets that no session can be read from with certainty, where sessions share a host. */
const DOUBTFUL: [id: string, says: string, target: string][] = [
  ['dot-dot-out', '`/p/<A>/../<B>/`: is it A or B?', '/p/<A>/../<B>/x'],
  ['encoded-dot-dot-out', 'the same with `%2e%2e`', '/p/<A>/%2e%2e/<B>/x'],
  ['dot-dot-slash-out', 'the same with `..%2f`', '/p/<A>/..%2f<B>/x'],
  ['encoded-end', '`%2f` after the id', '/p/<A>%2fx'],
  ['encoded-question', '`%3f` after the id', '/p/<A>%3fx'],
  ['fragment-end', '`#` after the id', '/p/<A>#x'],
  ['double-slash-first', '`//p/`', '//p/<A>/'],
  ['double-slash-id', '`/p//<A>/`', '/p//<A>/'],
  ['dot-dot-in', '`/x/../p/`', '/x/../p/<A>/'],
  ['dot-in', '`/p/./<A>/`', '/p/./<A>/'],
  ['encoded-p', '`/%70/`', '/%70/<A>/'],
];

/** Targets that name no session there is. */
const UNKNOWN: [id: string, says: string, target: string][] = [
  ['unknown', 'an id that is nobody’s', `/p/${'c'.repeat(26)}/`],
  ['longer', 'an id with a letter too many', '/p/<A>a/'],
  ['none', '`/p/` alone', '/p/'],
  ['internal-key', 'a key of the router’s own tables', '/p/!highest/'],
  ['raw-bytes', 'bytes in place of an id', '/p/\xff\xfe/'],
];

/** What nginx itself refuses, whatever it names. */
const REFUSED: [id: string, says: string, rest: string][] = [
  ['encoded-nul', '`%00` in the path', '/a%00b'],
  ['broken-escape', '`%` with no two digits after it, in the path', '/a%zz'],
  ['control', 'a raw control character', '/a\x01b'],
  ['far-out', 'more `..` than there are folders', '/../../../<B>/'],
  ['space', 'a raw space', '/a b'],
  ['tab', 'a raw tab', '/a\tb'],
];

/** Sends a target as it is; says who was asked for what, or the answer's status and code. */
export async function askFor(c: Case, template: string): Promise<string> {
  const [a, b] = [await c.session(), await c.session()];
  const target = template.replaceAll('<A>', a.id).replaceAll('<B>', b.id);
  const client = a.dial();
  client.send(`GET ${target} HTTP/1.1\r\nHost: ${a.host}\r\nConnection: close\r\n\r\n`);
  const reply = await client.reply();
  const visits = [...a.visits.map(({ line }) => `A: ${line}`), ...b.visits.map(({ line }) => `B: ${line}`)];
  return visits.join(', ') || `nobody: ${reply?.status} ${codeOf(reply?.body)}`.trim();
}

/** The `code` of one of the router's own answers. */
export function codeOf(body = ''): string {
  return /"code":"(\w+)"/.exec(body)?.[1] ?? '';
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'REPORT', 'SPAWN'];

export const target: Row[] = [
  ...KEPT.map(
    ([id, says, rest]): Row => ({
      ...{ group, says, id: `kept-${id}`, expected: `GET <base>${rest} HTTP/1.1` },
      see: async (c) => {
        const session = await c.session();
        await session.get(rest);
        return session.visits.map(({ line }) => line).join(', ');
      },
    }),
  ),
  {
    ...{ group, id: 'kept-other-session', says: 'what looks like another session’s path is A’s own' },
    expected: 'A: GET <base>/p/<B>/x HTTP/1.1',
    see: (c) => askFor(c, c.mode === 'host' ? '/p/<B>/x' : '/p/<A>/p/<B>/x'),
  },
  {
    ...{ group, id: 'absolute-form', says: 'an absolute target, as for a proxy, is its path' },
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
  ...DOUBTFUL.map(
    ([id, says, template]): Row => ({
      ...{ group, says: `400 for ${says}`, id: `doubtful-${id}`, modes: ['path', 'path-kept'] },
      expected: 'nobody: 400 bad_request_target',
      see: (c) => askFor(c, template),
    }),
  ),
  ...UNKNOWN.map(
    ([id, says, template]): Row => ({
      ...{ group, says: `404 for ${says}`, id: `unknown-${id}`, modes: ['path', 'path-kept'] },
      expected: 'nobody: 404 unknown_session',
      see: (c) => askFor(c, template),
    }),
  ),
  ...REFUSED.map(
    ([id, says, rest]): Row => ({
      ...{ group, says: `400 for ${says}`, id: `refused-${id}`, expected: 'nobody: 400 bad_request' },
      see: (c) => askFor(c, c.mode === 'host' ? rest : `/p/<A>${rest}`),
    }),
  ),
  {
    ...{
      group,
      id: 'too-long',
      says: 'a target of 50,000 bytes is 414',
      expected: 'nobody: 414 target_too_long',
    },
    see: (c) => askFor(c, `${c.mode === 'host' ? '' : '/p/<A>'}/${'x'.repeat(50_000)}`),
  },
  {
    ...{
      group,
      id: 'encoded-id',
      says: '400 for an id with an encoded letter',
      modes: ['path', 'path-kept'],
    },
    expected: 'nobody: 400 bad_request_target',
    see: async (c) => {
      const session = await c.session();
      const first = session.id.charCodeAt(0).toString(16);
      const client = session.dial();
      client.send(`GET /p/%${first}${session.id.slice(1)}/ HTTP/1.1\r\nHost: spawner.test\r\n\r\n`);
      const reply = await client.reply();
      return `${session.visits.length === 0 ? 'nobody' : 'A'}: ${reply?.status} ${codeOf(reply?.body)}`;
    },
  },
  {
    ...{ group, id: 'upper-case-id', says: '404 for an id in capitals', modes: ['path', 'path-kept'] },
    expected: '404 unknown_session',
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      client.send(`GET /p/${session.id.toUpperCase()}/ HTTP/1.1\r\nHost: spawner.test\r\n\r\n`);
      const reply = await client.reply();
      return `${reply?.status} ${codeOf(reply?.body)}`;
    },
  },
  {
    ...{ group, id: 'slash-added', says: '`/p/<A>` is redirected to `/p/<A>/`, its query untouched' },
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
  {
    ...{ group, id: 'methods', says: 'every method arrives, with its body, known to nginx or not' },
    expected: METHODS.map((method) => `${method} <base>/x HTTP/1.1 5`).join(', '),
    see: async (c) => {
      const seen: string[] = [];
      const session = await c.session(async (visit) => {
        seen.push(`${visit.line} ${(await visit.body()).length}`);
        visit.end(plain(''));
      });
      for (const method of METHODS) {
        const client = session.dial();
        client.send(`${session.head('/x', ['Content-Length: 5'], method)}hello`);
        await client.reply();
      }
      return seen.join(', ');
    },
  },
  {
    ...{ group, id: 'head', says: 'the answer to HEAD has the length, and no body' },
    expected: '200 17 ""',
    see: async (c) => {
      const session = await c.session((visit) => visit.end('HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n'));
      const client = session.dial();
      client.send(session.head('/x', [], 'HEAD'));
      const reply = await client.reply('HEAD');
      return `${reply?.status} ${reply?.header('content-length')} ${JSON.stringify(await client.bytes.rest())}`;
    },
  },
  {
    ...{ group, id: 'no-proxy', says: 'CONNECT and TRACE are refused' },
    expected: 'CONNECT nobody, TRACE nobody 405',
    see: async (c) => {
      const session = await c.session();
      const seen = [];
      for (const [method, target] of [
        ['CONNECT', `${session.address}`],
        ['TRACE', session.target('/')],
      ] as const) {
        const client = session.dial();
        client.send(`${method} ${target} HTTP/1.1\r\nHost: ${session.host}\r\nConnection: close\r\n\r\n`);
        const reply = await client.reply();
        const who = session.visits.length === 0 ? 'nobody' : 'A';
        // nginx 1.26 says 405 to CONNECT, and 1.30 says 400.
        seen.push(method === 'TRACE' ? `${method} ${who} ${reply?.status}` : `${method} ${who}`);
      }
      return seen.join(', ');
    },
  },
];

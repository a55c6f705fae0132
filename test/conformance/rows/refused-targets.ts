import { askFor, codeOf } from '../ask.ts';
import type { Check } from '../row.ts';

/** Targets that no session can be read from with certainty, where sessions share a host. */
const DOUBTFUL: [id: string, says: string, target: string][] = [
  ['dot-dot-out', '`/p/<A>/../<B>/`: is it A or B?', '/p/<A>/../<B>/x'],
  ['encoded-dot-dot-out', 'the same with `%2e%2e`', '/p/<A>/%2e%2e/<B>/x'],
  ['dot-dot-slash-out', 'the same with `..%2f`', '/p/<A>/..%2f<B>/x'],
  ['encoded-end', '`%2f` after the id', '/p/<A>%2fx'],
  ['encoded-end-bare', '`%2f` after the id, and nothing more', '/p/<A>%2f'],
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
  ['shorter', 'an id that lacks a letter', `/p/${'c'.repeat(25)}/`],
  ['none', '`/p/` alone', '/p/'],
  ['internal-key', 'a key of the router’s own tables', '/p/!highest/'],
  ['raw-bytes', 'bytes in place of an id', '/p/\xff\xfe/'],
];

/** What nginx itself refuses, whatever it names. */
const REFUSED: [id: string, says: string, rest: string][] = [
  ['broken-escape', '`%` with no two digits after it, in the path', '/a%zz'],
  ['control', 'a raw control character', '/a\x01b'],
  ['far-out', 'more `..` than there are folders', '/../../../<B>/'],
  ['space', 'a raw space', '/a b'],
  ['tab', 'a raw tab', '/a\tb'],
];

export const refusedTargets: Check[] = [
  ...DOUBTFUL.map(
    ([id, says, template]): Check => ({
      says: `400 for ${says}`,
      id: `doubtful-${id}`,
      modes: ['path', 'path-kept'],
      expected: 'nobody: 400 bad_request_target',
      see: (c) => askFor(c, template),
    }),
  ),
  ...UNKNOWN.map(
    ([id, says, template]): Check => ({
      says: `404 for ${says}`,
      id: `unknown-${id}`,
      modes: ['path', 'path-kept'],
      expected: 'nobody: 404 unknown_session',
      see: (c) => askFor(c, template),
    }),
  ),
  ...REFUSED.map(
    ([id, says, rest]): Check => ({
      says: `400 for ${says}`,
      id: `refused-${id}`,
      expected: 'nobody: 400 bad_request',
      see: (c) => askFor(c, c.mode === 'host' ? rest : `/p/<A>${rest}`),
    }),
  ),
  {
    id: 'too-long',
    says: 'a target of 50,000 bytes is 414',
    expected: 'nobody: 414 target_too_long',
    see: (c) => askFor(c, `${c.mode === 'host' ? '' : '/p/<A>'}/${'x'.repeat(50_000)}`),
  },
  {
    id: 'encoded-id',
    says: '400 for an id with an encoded letter',
    modes: ['path', 'path-kept'],
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
    id: 'upper-case-id',
    says: '404 for an id in capitals',
    modes: ['path', 'path-kept'],
    expected: '404 unknown_session',
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      client.send(`GET /p/${session.id.toUpperCase()}/ HTTP/1.1\r\nHost: spawner.test\r\n\r\n`);
      const reply = await client.reply();
      return `${reply?.status} ${codeOf(reply?.body)}`;
    },
  },
];

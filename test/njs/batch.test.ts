import test from 'ava';
import { countEntries, parseBatch } from '../../njs/batch.ts';

const A = 'a'.repeat(26);
const B = 'b'.repeat(26);
const C = 'c'.repeat(26);
const DIGEST = 'aZ09-_'.padEnd(43, 'x');

test('a batch of everything', (t) => {
  const batch = parseBatch({
    generation: 7,
    put: {
      [A]: { state: 'ready', address: '127.0.0.1:1' },
      [B]: { state: 'starting', tokenDigest: DIGEST },
    },
    delete: [C],
    forget: ['d'.repeat(26)],
  });
  t.deepEqual(batch, {
    generation: 7,
    put: [
      {
        id: A,
        state: 'ready',
        address: '127.0.0.1:1',
        tokenDigest: '',
        backend: { words: [0x7f000001], port: 1 },
      },
      { id: B, state: 'starting', address: '', tokenDigest: DIGEST, backend: undefined },
    ],
    delete: [C],
    forget: ['d'.repeat(26)],
  });
  t.is(typeof batch === 'string' ? 0 : countEntries(batch), 4);
});

test('every part of a batch may be left out', (t) => {
  t.deepEqual(parseBatch({ generation: 1 }), { generation: 1, put: [], delete: [], forget: [] });
});

const ready = { state: 'ready', address: '127.0.0.1:1' };
const WRONG: [string, unknown, RegExp][] = [
  ['no object', [], /JSON object/],
  ['null', null, /JSON object/],
  ['no generation', {}, /generation/],
  ['a generation as text', { generation: '1' }, /generation/],
  ['generation 0', { generation: 0 }, /generation/],
  ['an unknown field', { generation: 1, puts: {} }, /unknown field "puts"/],
  ['put as a list', { generation: 1, put: [] }, /"put" must be an object/],
  ['a short id', { generation: 1, put: { abc: ready } }, /"put" holds/],
  ['a route that is null', { generation: 1, put: { [A]: null } }, /must be an object/],
  ['an unknown state', { generation: 1, put: { [A]: { state: 'open' } } }, /"state"/],
  ['a tombstone by put', { generation: 1, put: { [A]: { state: 'gone' } } }, /"state"/],
  ['ready and nowhere', { generation: 1, put: { [A]: { state: 'ready' } } }, /needs an "address"/],
  [
    'draining and nowhere',
    { generation: 1, put: { [A]: { state: 'draining', address: '' } } },
    /needs an "address"/,
  ],
  ['a host name', { generation: 1, put: { [A]: { state: 'ready', address: 'pod:80' } } }, /ip:port/],
  ['an address as a list', { generation: 1, put: { [A]: { state: 'ready', address: [] } } }, /ip:port/],
  [
    'an unknown field of a route',
    { generation: 1, put: { [A]: { ...ready, generation: 2 } } },
    /unknown field/,
  ],
  ['an empty digest', { generation: 1, put: { [A]: { ...ready, tokenDigest: '' } } }, /"tokenDigest"/],
  ['no digest', { generation: 1, put: { [A]: { ...ready, tokenDigest: null } } }, /"tokenDigest"/],
  [
    'a digest with padding',
    { generation: 1, put: { [A]: { ...ready, tokenDigest: `${DIGEST}=` } } },
    /43 characters/,
  ],
  ['delete as an object', { generation: 1, delete: {} }, /"delete" must be an array/],
  ['a number to delete', { generation: 1, delete: [1] }, /"delete" holds/],
  ['a bad id to forget', { generation: 1, forget: [''] }, /"forget" holds/],
  ['an id twice in one part', { generation: 1, delete: [A, A] }, /twice/],
  ['an id in two parts', { generation: 1, put: { [A]: ready }, forget: [A] }, /twice/],
];

for (const [title, value, problem] of WRONG) {
  test(`refused: ${title}`, (t) => {
    const parsed = parseBatch(value);
    t.true(typeof parsed === 'string');
    t.regex(parsed as string, problem);
  });
}

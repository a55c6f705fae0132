import test from 'ava';
import { batchOf, createDesiredTable, differences, GONE } from '../../../daemon/routers/desired-table.ts';
import { createGenerations } from '../../../daemon/routers/generations.ts';

test('differences: what is missing, wrong or too much, and nothing else', (t) => {
  const table = createDesiredTable(() => 0);
  table.set('same', { state: 'ready', address: '127.0.0.1:1', tokenDigest: '' });
  table.set('missing', { state: 'ready', address: '127.0.0.1:2', tokenDigest: '' });
  table.set('moved', { state: 'ready', address: '127.0.0.1:3', tokenDigest: '' });
  table.set('drained', { state: 'draining', address: '127.0.0.1:4', tokenDigest: '' });
  table.set('ended', { state: 'gone', address: '', tokenDigest: '' });
  table.set('ended-unseen', { state: 'gone', address: '', tokenDigest: '' });
  const stored = {
    same: { state: 'ready', generation: 9, address: '127.0.0.1:1', tokenDigest: '' },
    moved: { state: 'ready', generation: 9, address: '127.0.0.1:9', tokenDigest: '' },
    drained: { state: 'ready', generation: 9, address: '127.0.0.1:4', tokenDigest: '' },
    ended: { state: 'ready', generation: 9, address: '127.0.0.1:5', tokenDigest: '' },
    stranger: { state: 'ready', generation: 9, address: '127.0.0.1:6', tokenDigest: '' },
  } as const;
  t.deepEqual(differences(table.routes, stored).sort(), ['drained', 'ended', 'missing', 'moved', 'stranger']);
});

test('a batch holds the present wishes: put, delete, or forget what nobody wishes', (t) => {
  const table = createDesiredTable(() => 0);
  table.set('a', { state: 'starting', address: '', tokenDigest: '' });
  table.set('a', { state: 'ready', address: '127.0.0.1:1', tokenDigest: '' });
  table.set('b', { state: 'gone', address: '', tokenDigest: '' });
  t.deepEqual(batchOf(['a', 'b', 'c'], table, 5), {
    generation: 5,
    put: { a: { state: 'ready', address: '127.0.0.1:1' } },
    delete: ['b'],
    forget: ['c'],
  });
});

test('tombstones are dropped when they are old, routes never', (t) => {
  let clock = 0;
  const table = createDesiredTable(() => clock);
  table.set('route', { state: 'ready', address: '127.0.0.1:1', tokenDigest: '' });
  table.set('old', { state: 'gone', address: '', tokenDigest: '' });
  clock = 50;
  table.set('young', { state: 'gone', address: '', tokenDigest: '' });
  clock = 100;
  t.deepEqual(table.dropTombstones(60), ['old']);
  t.deepEqual([...table.routes.keys()], ['route', 'young']);
});

test('generations only grow, with the clock and beyond what was seen', (t) => {
  let clock = 1_000;
  const generations = createGenerations(() => clock);
  const first = generations.next();
  const second = generations.next();
  t.true(second > first);
  clock = 2_000;
  const later = generations.next();
  t.true(later > second);
  clock = 0;
  t.true(generations.next() > later, 'the clock went back');
  generations.observe(9e15 / 2);
  t.true(generations.next() > 9e15 / 2);
});

test('another token is a difference, except where the session is gone', (t) => {
  const table = createDesiredTable(() => 0);
  const stored = { state: 'ready', generation: 9, address: '127.0.0.1:1', tokenDigest: 'old' } as const;
  const wish = { state: 'ready', address: '127.0.0.1:1' } as const;
  table.set('same', { ...wish, tokenDigest: 'old' });
  table.set('renewed', { ...wish, tokenDigest: 'new' });
  table.set('bare', { ...wish, tokenDigest: 'new' });
  table.set('ended', GONE);
  const gone = { ...stored, state: 'gone', address: '' } as const;
  const there = { same: stored, renewed: stored, bare: { ...stored, tokenDigest: '' }, ended: gone };
  t.deepEqual(differences(table.routes, there), ['renewed', 'bare']);
  t.deepEqual(batchOf(['renewed', 'ended'], table, 1).put, { renewed: { ...wish, tokenDigest: 'new' } });
});

import { createHash } from 'node:crypto';
import test from 'ava';
import { type Pool, parsePool, placeOf } from '../../njs/pool.ts';
import { SHARDS, shardOfPort } from '../../njs/shard.ts';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const place = (pool: Pool | undefined, id: string, address: string) =>
  placeOf(pool, id, address, Number(address.split(':')[1] ?? 0));
const idOf = (shard: string) => shard + 'x'.repeat(25);

test('a router without a pool keeps no place for one', (t) => {
  t.is(place(parsePool(''), idOf('a'), '127.0.0.1:20000'), undefined);
});

test('of a range of ports, a session has those of its shard in the pool', (t) => {
  const pool = parsePool('ports 127.0.0.1:20000-20999');
  const shard = shardOfPort(20_123);
  const address = '127.0.0.1:20123';
  t.deepEqual(place(pool, idOf(shard), address), { way: 'pooled', sid: md5(address) });
  const direct = { way: 'direct', sid: '' };
  for (const other of SHARDS.replace(shard, '')) t.deepEqual(place(pool, idOf(other), address), direct);
  t.deepEqual(place(pool, idOf(shard), '127.0.0.2:20123'), direct);
  t.deepEqual(place(pool, idOf(shardOfPort(21_000)), '127.0.0.1:21000'), direct);
  t.deepEqual(place(pool, idOf(shard), ''), direct);
});

test('what DNS may tell of is to be tried, at its one port', (t) => {
  const pool = parsePool('dns 8080');
  t.deepEqual(place(pool, idOf('a'), '10.0.0.1:8080'), { way: 'untried', sid: md5('10.0.0.1:8080') });
  t.deepEqual(place(pool, idOf('a'), '10.0.0.1:8081'), { way: 'direct', sid: '' });
  t.deepEqual(place(pool, idOf('a'), ''), { way: 'direct', sid: '' });
});

test('each port has one shard, and a range has its ports in all of them alike', (t) => {
  const counts: { [shard: string]: number } = {};
  for (let port = 20_000; port < 20_360; port++) {
    const shard = shardOfPort(port);
    counts[shard] = (counts[shard] ?? 0) + 1;
  }
  t.deepEqual(Object.keys(counts).toSorted(), [...SHARDS].toSorted());
  t.deepEqual([...new Set(Object.values(counts))], [10]);
});

import test from 'ava';
import { isSessionId } from '../../../njs/route.ts';
import { shardOfPort, shardOfSession } from '../../../njs/shard.ts';
import { addressOf, SHARD_PORTS, sessionId } from '../../../scripts/bench/sessions.ts';

test('sessions differ, are spread over all shards, and have backends of their shard', (t) => {
  const ids = Array.from({ length: 10_000 }, (_, index) => sessionId(index));
  t.is(new Set(ids).size, ids.length);
  t.true(ids.every(isSessionId));
  t.is(new Set(ids.slice(0, SHARD_PORTS).map(shardOfSession)).size, SHARD_PORTS);
  for (const id of ids.slice(0, SHARD_PORTS)) {
    const port = Number(addressOf(id, 20_001).split(':')[1]);
    t.is(shardOfPort(port), shardOfSession(id));
    t.true(port >= 20_001 && port < 20_001 + SHARD_PORTS);
  }
});

import test from 'ava';
import { isLost, LOST_MS } from '../../../daemon/routers/lost.ts';

const since = (silentSince: number | undefined, unreadySince: number | undefined) => ({
  silentSince,
  unreadySince,
});

for (const [name, silence, now, lost] of [
  ['it answers and is Ready', since(undefined, undefined), LOST_MS * 9, false],
  ['it answers and is not Ready', since(undefined, 0), LOST_MS * 9, false],
  ['it is silent, and Ready or named by hand', since(0, undefined), LOST_MS * 9, false],
  ['both have lasted five minutes', since(0, 0), LOST_MS, false],
  ['both have lasted longer', since(0, 0), LOST_MS + 1, true],
  ['it has stopped being Ready only now', since(0, 1), LOST_MS + 1, false],
  ['it has fallen silent only now', since(1, 0), LOST_MS + 1, false],
] as const) {
  test(`a router is ${lost ? '' : 'not '}lost when ${name}`, (t) => {
    t.is(isLost(silence, now), lost);
  });
}

import test from 'ava';
import { asLocation, tokensOf, withoutTokens } from '../../njs/token-url.ts';

for (const [target, tokens, without] of [
  ['/p/x/', [], '/p/x/'],
  ['/p/x/?', [], '/p/x/?'],
  ['/p/x/?spawner-token=T', ['T'], '/p/x/'],
  ['/p/x/?spawner-token=', [''], '/p/x/'],
  ['/p/x/?a=%2f&spawner-token=T&b', ['T'], '/p/x/?a=%2f&b'],
  ['/p/x/?spawner-token=T&a', ['T'], '/p/x/?a'],
  ['/p/x/?a&spawner-token=T', ['T'], '/p/x/?a'],
  ['/p/x/?spawner-token=T&', ['T'], '/p/x/?'],
  ['/p/x/?&&spawner-token=T&&a&', ['T'], '/p/x/?&&&a&'],
  ['/p/x/?spawner-token=T&spawner-token=U', ['T', 'U'], '/p/x/'],
  ['/p/x/?spawner-token=a=b?c', ['a=b?c'], '/p/x/'],
  ['/p/x/?a=?spawner-token=T', [], '/p/x/?a=?spawner-token=T'],
  ['/p/x/?a;spawner-token=T', [], '/p/x/?a;spawner-token=T'],
  ['/p/x/?spawner-tokens=T', [], '/p/x/?spawner-tokens=T'],
  ['/p/x/?spawner-token', [], '/p/x/?spawner-token'],
  ['/p/x/?spawner%2Dtoken=T', [], '/p/x/?spawner%2Dtoken=T'],
  ['/p/x/?Spawner-Token=T', [], '/p/x/?Spawner-Token=T'],
  ['/p/x/spawner-token=T?y', [], '/p/x/spawner-token=T?y'],
] as const) {
  test(`the token in ${target}`, (t) => {
    t.deepEqual(tokensOf(target), [...tokens]);
    t.is(withoutTokens(target), without);
  });
}

test('a target that browsers would take for another host leads to itself', (t) => {
  for (const [target, wanted] of [
    ['/x?y', '/x?y'],
    ['/', '/'],
    ['//evil.test/x', '//evil.test/x'],
    ['/\\evil.test/x', '//evil.test/x'],
  ] as const) {
    t.is(new URL(asLocation(target), 'https://here.test/a/').href, `https://here.test${wanted}`);
  }
});

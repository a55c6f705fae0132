import test from 'ava';
import { createFleetAccount } from '../../../daemon/routers/fleet-activity.ts';
import { type RouterActivity, RouterError } from '../../../daemon/routers/router-client.ts';

type Sessions = RouterActivity['sessions'];

const answered = (bootId: string, sessions: Sessions = {}, uncounted = 0) => ({
  answer: { bootId, uncounted, sessions },
  mayShutDown: true,
});
const absent = (mayShutDown: boolean) => ({
  answer: new RouterError('refused', true),
  mayShutDown,
});
const hung = { answer: new RouterError('timeout', false), mayShutDown: false };

test('counts add up over routers', (t) => {
  const { sessions, uncounted } = createFleetAccount()([
    answered('a', { s: { active: 1, total: 3 } }),
    answered('b', { s: { active: 2, total: 4 }, other: { active: 0, total: 1 } }, 1),
  ]);
  t.deepEqual(
    [...sessions],
    [
      ['s', { active: 3, total: 7 }],
      ['other', { active: 0, total: 1 }],
    ],
  );
  t.true(uncounted);
});

for (const [name, readings, quiet, complete] of [
  ['no router at all', [], true, false],
  ['all have answered', [answered('a')], true, true],
  ['one hangs', [answered('a'), hung], false, false],
  ['one is absent', [answered('a'), absent(false)], true, true],
  ['one is absent and may be shutting down', [answered('a'), absent(true)], true, false],
  ['the only one is absent', [absent(false)], true, false],
] as const) {
  test(`what can be concluded when ${name}`, (t) => {
    const activity = createFleetAccount()([...readings]);
    t.is(activity.quiet, quiet);
    t.is(activity.complete, complete);
  });
}

test('idle times begin anew when counts are lost, not when a router comes', (t) => {
  const account = createFleetAccount();
  const { boots: one } = account([answered('a')]);
  const { boots: two } = account([answered('a'), answered('b')]);
  t.is(two, one, 'one came');
  const { boots: missing } = account([answered('a'), hung]);
  t.not(missing, two, 'one does not answer');
  t.is(account([answered('a'), answered('b')]).boots, missing, 'it is back, with its counts');
  const { boots: restarted } = account([answered('a'), answered('c')]);
  t.not(restarted, missing, 'it has restarted');
  const { boots: removed } = account([answered('a')]);
  t.not(removed, restarted, 'it went');
  t.is(account([answered('a')]).boots, removed, 'nothing happened');
});

import test from 'ava';
import { createActivity } from '../../examples/app/activity.ts';

test('a connection keeps the app active until it ends', (t) => {
  let now = 100;
  const activity = createActivity(() => now);
  const ends = [activity.begin(), activity.begin()];
  now = 160;
  t.deepEqual(activity.status(), { active_connections: 2, seconds_inactive: 0, listening: true });

  for (const end of ends) end();
  now = 172.9;
  t.deepEqual(activity.status(), { active_connections: 0, seconds_inactive: 12, listening: true });
});

test('an app that nobody came to counts from its start', (t) => {
  let now = 5;
  const activity = createActivity(() => now);
  now = 15;
  t.is(activity.status().seconds_inactive, 10);
});

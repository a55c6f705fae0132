import test from 'ava';
import pino from 'pino';
import { connect } from '../../../daemon/kubernetes/connection.ts';
import { createRouterPods } from '../../../daemon/routers/router-pods.ts';
import { until } from '../../support/poll.ts';
import { collectionApi } from './collection-api.ts';

const condition = (status: string, minute: number) => ({
  status: { conditions: [{ type: 'Ready', status, lastTransitionTime: `2026-01-01T00:0${minute}:00Z` }] },
});

test('since when a Pod is not Ready, as far as the API tells', async (t) => {
  const api = await collectionApi(t, 'pods', 'spawner');
  let now = 100;
  api.set('old', condition('False', 1));
  api.set('good', condition('True', 1));
  api.set('new', { status: {} });
  const pods = createRouterPods({
    ...connect(api.kubeConfig, () => {}),
    namespace: 'spawner',
    now: () => now,
    log: pino({ level: 'silent' }),
  });
  t.teardown(pods.close);
  t.is(pods.unreadySince('old'), undefined, 'nothing is known yet');
  pods.start();
  const since = (pod: string, expected: number | undefined) =>
    until(`${pod} since ${expected}`, () => pods.unreadySince(pod) === expected);
  await since('old', 100);
  for (const pod of ['good', 'new', 'stranger']) t.is(pods.unreadySince(pod), undefined, pod);
  await until('the watch', () => api.requests.some((request) => request.includes('watch=true')));

  now = 200;
  api.set('old', condition('False', 1)); // a change of something else
  api.set('good', condition('False', 2));
  await since('good', 200);
  t.is(pods.unreadySince('old'), 100, 'it has not been Ready meanwhile');
  api.set('good', condition('True', 3));
  await since('good', undefined);

  api.away();
  await since('old', undefined); // it may be Ready by now
  now = 300;
  api.set('old', condition('False', 4));
  api.set('good', 'deleted');
  api.back();
  await since('old', 300); // it was Ready meanwhile
  t.is(pods.unreadySince('good'), undefined);
});

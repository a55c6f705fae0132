import test from 'ava';
import pino from 'pino';
import { connect } from '../../../daemon/kubernetes/connection.ts';
import { followRouters } from '../../../daemon/routers/follow-routers.ts';
import type { RouterMember } from '../../../daemon/routers/routers.ts';
import { until } from '../../support/poll.ts';
import { collectionApi } from './collection-api.ts';

const routersAt = (ip: string) => ({
  subsets: [{ addresses: [{ ip }], ports: [{ name: 'admin', port: 9145 }] }],
});

test('routers named by address and by Service are followed together, and only when all are known', async (t) => {
  const api = await collectionApi(t, 'endpoints', 'spawner');
  const followed: RouterMember[][] = [];
  api.set('routers', routersAt('10.0.0.1'));
  api.away();
  const following = followRouters(
    ['unix:/named', 'service:routers.spawner'],
    { follow: (members) => followed.push(members) },
    connect(api.kubeConfig, () => {}),
    pino({ level: 'silent' }),
  );
  await until('a second try', () => api.requests.length >= 2);
  t.deepEqual(followed, []);
  api.back();
  await following;
  const named = { address: 'unix:/named', discovered: false };
  t.deepEqual(followed, [[named, { address: 'http://10.0.0.1:9145', discovered: true }]]);
  await until('the watch', () => api.requests.some((request) => request.includes('watch=true')));
  api.set('routers', routersAt('10.0.0.2'));
  await until('the change', () => followed.length > 1);
  t.deepEqual(followed[1], [named, { address: 'http://10.0.0.2:9145', discovered: true }]);
  api.set('routers', {
    subsets: [
      {
        addresses: [{ ip: '10.0.0.2', targetRef: { kind: 'Pod', name: 'router' } }],
        ports: [{ name: 'admin', port: 9145 }],
      },
    ],
  });
  await until('its Pod', () => followed.length > 2);
  t.is(followed[2]?.[1]?.unreadySince?.(), undefined, 'of the Pod, nothing is known');
});

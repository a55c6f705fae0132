import test from 'ava';
import { isSame, run } from './support/entrypoint.ts';

test('Pods are looked for in the namespace, at the port and by the name servers that are set', (t) => {
  const resolv =
    'search my.ns svc.a.test. a.test\nnameserver fd00::a\nnameserver fe80::1%eth0\nnameserver 10.0.0.2';
  const pod = { nginxVersion: '1.29.6', resolv };
  const given = run(t, { SPAWNER_SESSIONS_NAMESPACE: 'visits', SPAWNER_APPLICATION_PORT: '80' }, pod);
  t.deepEqual([given.status, given.stderr], [0, '']);
  isSame(t, given, {
    nginxVersion: '1.29.6',
    dnsPool: {
      service: 'spawner-shard-{shard}.visits.svc.a.test',
      port: 80,
      resolvers: ['[fd00::a]', '10.0.0.2'],
    },
  });
});

test('without a DNS of the cluster, it says so and does without', (t) => {
  for (const resolv of ['nameserver 10.96.0.10\n', 'search svc.cluster.local\n', '']) {
    const without = run(t, {}, { nginxVersion: '1.30.6', resolv });
    t.is(without.status, 0);
    t.regex(without.stderr, /^router: a connection to a Pod for each request: \S+ has no name server.*\n$/);
    isSame(t, without, { nginxVersion: '1.30.6' });
  }
});

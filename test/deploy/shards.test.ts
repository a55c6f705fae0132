import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAllYaml, type V1ResourceQuota, type V1Service } from '@kubernetes/client-node';
import test from 'ava';
import { APP_PORT_NAME, SHARD_LABEL } from '../../daemon/runtime/kubernetes/names.ts';
import { SHARDS } from '../../njs/shard.ts';
import { root } from '../../scripts/nginx.ts';

const read = (name: string) => readFileSync(join(root, 'deploy', name), 'utf8');

test('each shard has a Service that follows its Pods from their first moment on', (t) => {
  const [list] = loadAllYaml(read('shards.yaml')) as unknown as [{ items: V1Service[] }];
  t.deepEqual(
    list.items.map(({ metadata }) => `${metadata?.namespace}/${metadata?.name}`),
    Array.from(SHARDS, (shard) => `spawner-sessions/spawner-shard-${shard}`),
  );
  for (const [index, { spec }] of list.items.entries()) {
    t.deepEqual(spec, {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: { [SHARD_LABEL]: SHARDS[index] as string },
      ports: [{ name: 'http', port: 80, targetPort: APP_PORT_NAME }],
    });
  }
});

test('the example of a quota has room for the Services that are always there', (t) => {
  const [quota] = loadAllYaml(read('session-limits.yaml')) as [V1ResourceQuota];
  const { pods, services } = quota.spec?.hard ?? {};
  t.is(Number(services), Number(pods) + SHARDS.length);
});

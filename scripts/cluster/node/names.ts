/**
 * names.ts FOLDER: keeps what headless Services stand for where the node's DNS server reads it, one file of hosts(5)
 * each. With that server it stands for the CoreDNS of other clusters, as far as our tests need one.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CoreV1Api, KubeConfig, makeInformer, type V1Endpoints } from '@kubernetes/client-node';

const RETRY_MS = 500;
const scope = { labelSelector: 'service.kubernetes.io/headless' };

const folder = process.argv[2] as string;
const config = new KubeConfig();
config.loadFromDefault();
const core = config.makeApiClient(CoreV1Api);
const list = () => core.listEndpointsForAllNamespaces(scope);
const informer = makeInformer(config, '/api/v1/endpoints', list, scope.labelSelector);
for (const event of ['add', 'update'] as const) informer.on(event, write);
informer.on('delete', (gone) => rmSync(fileOf(gone), { force: true }));
informer.on('error', start);

mkdirSync(folder, { recursive: true });
await start();
// What went while nobody looked.
const known = new Set((await list()).items.map(fileOf));
for (const name of readdirSync(folder)) if (!known.has(join(folder, name))) rmSync(join(folder, name));

async function start(): Promise<void> {
  for (;;) {
    try {
      return await informer.start();
    } catch {
      await sleep(RETRY_MS);
    }
  }
}

/** Those that are not ready, too, if their Service wants that: they stand among the others then. */
function write(endpoints: V1Endpoints): void {
  const { name, namespace } = endpoints.metadata ?? {};
  const addresses = (endpoints.subsets ?? []).flatMap((subset) => subset.addresses ?? []);
  const lines = addresses.map(({ ip }) => `${ip} ${name}.${namespace}.svc.cluster.local\n`);
  const path = fileOf(endpoints);
  // Elsewhere first: the server reads a file as soon as it is there.
  writeFileSync(`${folder}.new`, lines.join(''));
  renameSync(`${folder}.new`, path);
}

function fileOf({ metadata }: V1Endpoints): string {
  return join(folder, `${metadata?.namespace}.${metadata?.name}`);
}

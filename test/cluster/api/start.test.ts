import { type ExecFileException, execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadAllYaml, RbacAuthorizationV1Api, type V1Role } from '@kubernetes/client-node';
import test, { type ExecutionContext } from 'ava';
import { ALWAYS } from '../../support/fault-proxy.ts';
import { type KubeApi, startKubeApi } from '../../support/kube-api.ts';
import { until } from '../../support/poll.ts';
import { startApiWorld } from '../support/api-world.ts';
import { writeTemplate } from '../support/pods.ts';

const MAIN = join(import.meta.dirname, '../../../daemon/main.ts');
const ACCESS = join(import.meta.dirname, '../../../deploy/access.yaml');

let kube: KubeApi;
test.before(async () => {
  kube = await startKubeApi({ controllers: true });
});
test.after.always(() => kube?.stop());

/** The exit code of a daemon that does not start, and what it says beside its log. */
async function complaint(
  t: ExecutionContext,
  flags: string[],
  KUBECONFIG = kube.kubeconfig,
): Promise<string> {
  const given = ['--router', 'unix:/nowhere', '--application-image', 'my-app:1', '--listen', '127.0.0.1:0'];
  const env = { ...process.env, KUBECONFIG };
  const started = promisify(execFile)(process.execPath, [MAIN, ...given, ...flags], { env, timeout: 30_000 });
  const { code, stderr } = (await t.throwsAsync(started)) as ExecFileException;
  const said = stderr?.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  return `${code} ${said?.join('\n')}`;
}

const TEMPLATES: { what: string; text: string; says: RegExp }[] = [
  {
    what: 'a misspelt field',
    text: 'spec: {nodeSelctor: {disk: ssd}}',
    says: /^2 error: .*--pod-template.*: spec\.nodeSelctor: the cluster knows no such field$/,
  },
  {
    what: 'a misspelt field of a container',
    text: 'spec: {containers: [{name: tea, image: tea}, {name: app, imagePullPolcy: Never}]}',
    says: /^2 error: .*: spec\.containers\[app\]\.imagePullPolcy: the cluster knows no such field$/,
  },
  {
    what: 'a bad quantity',
    text: 'spec: {containers: [{name: tea, image: tea}, {name: app, resources: {limits: {memory: lots}}}]}',
    says: /^2 error: .*--pod-template.*spec\.containers\[app\]\.resources\.limits\.memory: "lots" is no quantity, such as 500m or 2Gi$/,
  },
  {
    what: 'a volume that is not there',
    text: 'spec: {containers: [{name: app, volumeMounts: [{name: data, mountPath: /data}]}]}',
    says: /^2 error: .*spec\.containers\[app\]\.volumeMounts\[0\]\.name: Not found: "data"$/,
  },
];

test('a template that the cluster would not take as it is written ends the daemon, with the path', async (t) => {
  const namespace = await kube.namespace();
  for (const { what, text, says } of TEMPLATES) {
    const template = await writeTemplate(t, text);
    t.regex(await complaint(t, ['--pod-template', template, '--namespace', namespace]), says, what);
  }
});

test('a namespace that does not exist ends the daemon', async (t) => {
  t.regex(await complaint(t, ['--namespace', 'nowhere']), /^2 error: --namespace nowhere: .*not found$/);
});

test('without a cluster to use the daemon ends and says what it looked for', async (t) => {
  const nonsense = await writeTemplate(t, 'clusters: [');
  const complain = (KUBECONFIG: string) => complaint(t, [], KUBECONFIG);
  t.regex(
    await complain('/nowhere/kubeconfig'),
    /^2 error: no cluster: KUBECONFIG is \/nowhere\/kubeconfig: .*$/,
  );
  t.regex(await complain(nonsense), /^2 error: no cluster: KUBECONFIG is \/.*: .*$/);
  t.regex(await complain(await writeTemplate(t, '{}')), /^2 error: no cluster: .*current context.*$/);
});

test('a daemon without rights says so, and works once it has those of deploy/', async (t) => {
  const world = await startApiWorld(t, kube, { idle: true, token: kube.userToken });
  const { namespace } = world;
  const daemon = await world.startDaemon();
  const readyz = async () => (await daemon.api('GET', '/readyz')).json;
  const refused = await until('the refusal to be told', async () => {
    const message: string = (await readyz()).error?.message;
    return message?.includes('forbidden') && message;
  });
  t.regex(refused, /^The cluster can't be used yet: .*User "spawner" cannot create resource "pods"/);
  const rbac = kube.config.makeApiClient(RbacAuthorizationV1Api);
  const [role] = loadAllYaml(await readFile(ACCESS, 'utf8')).filter(
    ({ kind, metadata }) => kind === 'Role' && metadata?.namespace === 'spawner-sessions',
  ) as [V1Role];
  const metadata = { name: 'spawner-daemon' };
  await rbac.createNamespacedRole({ namespace, body: { ...role, metadata } });
  await rbac.createNamespacedRoleBinding({
    namespace,
    body: {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
      subjects: [{ kind: 'User', name: 'spawner' }],
    },
  });
  await until('the daemon to be ready', async () => (await readyz()).status === 'ready');
  const since = world.proxy.log.length;
  const { id } = await world.init();
  await world.serve(id, 'hello');
  await world.until(id, 'ready');
  await daemon.api('GET', `/sessions/${id}`);
  const deleted = daemon.api('DELETE', `/sessions/${id}`);
  await world.untilGone(id);
  t.is((await deleted).status, 204);
  const refusedLater = world.proxy.log.slice(since).filter(({ status }) => status === 403);
  t.deepEqual(refusedLater, []);
});

test('a daemon that may not list says so too', async (t) => {
  const world = await startApiWorld(t, kube, { idle: true });
  const refused = world.proxy.plan({ path: /\/pods\?labelSelector/ }, { answer: 403 }, { times: ALWAYS });
  const daemon = await world.startDaemon();
  const readyz = async () => (await daemon.api('GET', '/readyz')).json;
  await until('the refusal to be told', async () =>
    (await readyz()).error?.message?.endsWith("The cluster can't be used yet: fault of a test: 403"),
  );
  refused.remove();
  await until('the daemon to be ready', async () => (await readyz()).status === 'ready');
  t.pass();
});

test('a daemon that starts while the API server is away waits for it, and says so', async (t) => {
  const world = await startApiWorld(t, kube, { idle: true });
  await world.proxy.away();
  const daemon = await world.startDaemon();
  const readyz = () => daemon.api('GET', '/readyz');
  const told = await until('the reason to be told', async () => {
    const { status, json } = await readyz();
    return status === 503 && json.error.message.includes('ECONNREFUSED') && json.error.message;
  });
  t.regex(told, /^The cluster can't be used yet: connect ECONNREFUSED/);
  t.like((await daemon.api('POST', '/init')).json.error, { code: 'not_ready', message: told });
  await world.proxy.back();
  await until('the daemon to be ready', async () => (await readyz()).status === 200);
  await world.init();
});

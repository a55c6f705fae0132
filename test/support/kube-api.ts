import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { type Running, startTied, statusOf, writeKeys } from './kube-programs.ts';
import { until } from './poll.ts';
import { reservePorts } from './ports.ts';

export interface KubeApiOptions {
  /** Also runs the controllers of namespaces, garbage, service accounts and endpoints. */
  controllers?: boolean;
}

/** A real etcd and kube-apiserver on loopback, without a kubelet: nobody runs the Pods (see played-kubelet.ts). */
export interface KubeApi {
  /** `https://127.0.0.1:<port>`, also after a pause. */
  server: string;
  /** The server's certificate, base64 of PEM, as kubeconfigs have it. */
  caData: string;
  /** Of `admin`, who may do everything. */
  adminToken: string;
  /** Of `spawner`, who may do nothing until a role is bound to that user. */
  userToken: string;
  /** Path of a kubeconfig of `admin`. */
  kubeconfig: string;
  /** Path of a kubeconfig of `spawner`. */
  userKubeconfig: string;
  /** As `admin`. */
  config: KubeConfig;
  core: CoreV1Api;
  /** Makes a namespace for one test, in which Pods can be made, and returns its name. */
  namespace(): Promise<string>;
  /** Kills the API server; its port refuses connections until `resumeApi`, and etcd keeps the data. */
  pauseApi(): Promise<void>;
  resumeApi(): Promise<void>;
  /** The last lines of the API server's log. */
  log(): Promise<string>;
  /** Ends all and removes its folder. Call it in `test.after.always`. */
  stop(): Promise<void>;
}

const controllers =
  'namespace,garbagecollector,serviceaccount,serviceaccount-token,root-ca-cert-publisher,endpoint';

/** Takes about 4 s, 6 s with controllers. Throws one line when Kubernetes is not built yet. */
export async function startKubeApi(options: KubeApiOptions = {}): Promise<KubeApi> {
  const folder = await mkdtemp(join(tmpdir(), 'spawner-api-'));
  const ports = await reservePorts();
  const running: Running[] = [];
  const run = (name: string, args: string[]) => {
    const started = startTied(name, args, join(folder, `${name}.log`));
    running.push(started);
    return started;
  };
  const stop = async () => {
    for (const one of running.reverse()) await one.kill();
    ports.release();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return await startAll();
  } catch (error) {
    await stop();
    throw error;
  }

  async function startAll(): Promise<KubeApi> {
    const [etcdPort, port] = [ports.first, ports.first + 1];
    const etcd = `http://127.0.0.1:${etcdPort}`;
    const tokens = { admin: randomBytes(24).toString('hex'), user: randomBytes(24).toString('hex') };
    await writeKeys(folder);
    await writeFile(
      join(folder, 'tokens'),
      `${tokens.admin},admin,1,"system:masters"\n${tokens.user},spawner,2\n`,
      { mode: 0o600 },
    );
    run('etcd', [
      ...[
        '--data-dir',
        join(folder, 'etcd'),
        '--unsafe-no-fsync',
        '--listen-peer-urls',
        'http://127.0.0.1:0',
      ],
      ...['--listen-client-urls', etcd, '--advertise-client-urls', etcd],
    ]);
    const flags = [
      ...[`--etcd-servers=${etcd}`, `--secure-port=${port}`, `--cert-dir=${join(folder, 'certs')}`],
      ...['--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', '--endpoint-reconciler-type=none'],
      ...[`--token-auth-file=${join(folder, 'tokens')}`, '--authorization-mode=RBAC'],
      ...['--service-account-issuer=https://kubernetes.default.svc'],
      ...[`--service-account-key-file=${join(folder, 'sa.pub')}`],
      ...[`--service-account-signing-key-file=${join(folder, 'sa.key')}`],
      '--service-cluster-ip-range=10.96.0.0/16',
      // Without controllers no namespace gets the service account that this would ask for.
      ...(options.controllers ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ];
    let api = run('kube-apiserver', flags);
    // The server makes its certificate at its first start.
    const certificate = join(folder, 'certs', 'apiserver.crt');
    const ca = await until('the API server to make its certificate', () => {
      api.assertAlive();
      return readFile(certificate, 'utf8').then(
        (text) => text.endsWith('-----END CERTIFICATE-----\n') && text,
        () => '',
      );
    });
    const untilReady = () =>
      until(
        'the API server to be ready',
        async () => {
          api.assertAlive();
          return (await statusOf(port, ca, tokens.admin)) === 200;
        },
        60,
      );
    await untilReady();

    const caData = Buffer.from(ca).toString('base64');
    const server = `https://127.0.0.1:${port}`;
    const kubeconfig = join(folder, 'admin.kubeconfig');
    const userKubeconfig = join(folder, 'spawner.kubeconfig');
    await writeFile(kubeconfig, kubeconfigOf(server, tokens.admin, caData), { mode: 0o600 });
    await writeFile(userKubeconfig, kubeconfigOf(server, tokens.user, caData), { mode: 0o600 });
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const core = config.makeApiClient(CoreV1Api);
    if (options.controllers) {
      run('kube-controller-manager', [
        ...[`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--port=0', '--secure-port=0'],
        ...[`--service-account-private-key-file=${join(folder, 'sa.key')}`, `--root-ca-file=${certificate}`],
        ...['--kube-api-qps=200', '--kube-api-burst=400', `--controllers=${controllers}`],
      ]);
    }

    return {
      ...{ server, caData, kubeconfig, userKubeconfig, config, core, stop },
      adminToken: tokens.admin,
      userToken: tokens.user,
      async namespace() {
        const name = `test-${randomBytes(5).toString('hex')}`;
        await core.createNamespace({ body: { metadata: { name } } });
        if (options.controllers) {
          await until(`the service account of ${name}`, () =>
            core.readNamespacedServiceAccount({ name: 'default', namespace: name }).then(
              ({ secrets }) => secrets?.length,
              () => false,
            ),
          );
        }
        return name;
      },
      pauseApi: () => api.kill(),
      async resumeApi() {
        api = run('kube-apiserver', flags);
        await untilReady();
      },
      log: async () => (await readFile(join(folder, 'kube-apiserver.log'), 'utf8')).slice(-8_000),
    };
  }
}

/** A kubeconfig's text. Plain http is allowed for what stands in front of a server in a test. */
export function kubeconfigOf(server: string, token: string, caData?: string): string {
  const cluster = caData
    ? { server, 'certificate-authority-data': caData }
    : { server, 'insecure-skip-tls-verify': true };
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  });
}

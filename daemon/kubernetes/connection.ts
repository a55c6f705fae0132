/** The way to the Kubernetes API: who we are and where it is. */
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  CoordinationV1Api,
  CoreV1Api,
  createConfiguration,
  KubeConfig,
  type RequestContext,
  ServerConfiguration,
} from '@kubernetes/client-node';
import { ConfigError } from '../errors.ts';
import { type ApiCall, createPatientHttp } from './patient-http.ts';
import { PlainLists } from './plain-lists.ts';

const POOL_MS = 10 * 60_000;
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface Connection {
  api: CoreV1Api;
  leases: CoordinationV1Api;
  kubeConfig: KubeConfig;
  /** Where the credentials belong: the Pod's own namespace, or that of the kubeconfig's context. */
  namespace: string;
  /** Whether a call would only wait: see `PatientHttp`. */
  isStalled(): boolean;
}

/**
 * The files that KUBECONFIG names; else, in a Pod, its service account; else ~/.kube/config, as kubectl does.
 * @throws {ConfigError} if none of them is there or can be read
 */
export function loadKubeConfig(env: NodeJS.ProcessEnv): KubeConfig {
  const kubeConfig = new PooledKubeConfig();
  const home = path.join(os.homedir(), '.kube/config');
  try {
    if (env.KUBECONFIG) kubeConfig.loadFromDefault();
    else if (env.KUBERNETES_SERVICE_HOST && existsSync(`${SERVICE_ACCOUNT}/token`))
      kubeConfig.loadFromCluster();
    else if (existsSync(home)) kubeConfig.loadFromFile(home);
    else throw new Error('there is no service account of a Pod and no ~/.kube/config either');
  } catch (error) {
    // Of a YAML error, the lines that follow show the place as a drawing.
    const [why] = (error as Error).message.split('\n');
    throw new ConfigError(`no cluster: KUBECONFIG is ${env.KUBECONFIG ?? 'not set'}: ${why}`);
  }
  if (!kubeConfig.getCurrentCluster()) {
    throw new ConfigError(
      'no cluster: the kubeconfig has no current context that names one (kubectl config use-context)',
    );
  }
  return kubeConfig;
}

export function connect(kubeConfig: KubeConfig, called: (call: ApiCall) => void): Connection {
  const server = kubeConfig.getCurrentCluster()?.server as string;
  const { library, isStalled } = createPatientHttp(called);
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(server, {}),
    authMethods: { default: kubeConfig },
    httpApi: library,
  });
  const namespace = kubeConfig.getContextObject(kubeConfig.getCurrentContext())?.namespace ?? 'default';
  return {
    api: new CoreV1Api(configuration, undefined, new PlainLists()),
    leases: new CoordinationV1Api(configuration),
    kubeConfig,
    namespace,
    isStalled,
  };
}

/** The client makes new connections for each call, TLS handshake and all. This one keeps them. */
class PooledKubeConfig extends KubeConfig {
  #dispatcher: ReturnType<RequestContext['getDispatcher']>;
  #since = 0;

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context);
    // Client certificates may have been renewed; the connections made with the old ones end by themselves.
    if (performance.now() - this.#since > POOL_MS) this.#dispatcher = undefined;
    if (this.#dispatcher) {
      context.setDispatcher(this.#dispatcher);
    } else {
      this.#dispatcher = context.getDispatcher();
      this.#since = performance.now();
    }
  }
}

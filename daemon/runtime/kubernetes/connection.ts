/** The way to the Kubernetes API: who we are, where it is, and how patient we are with it. */
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CoordinationV1Api,
  CoreV1Api,
  createConfiguration,
  IsomorphicFetchHttpLibrary,
  KubeConfig,
  type RequestContext,
  type ResponseContext,
  ServerConfiguration,
  wrapHttpLibrary,
} from '@kubernetes/client-node';
import { ConfigError } from '../../errors.ts';

/** For each call; a watch has its own. The client has none. */
const CALL_TIMEOUT_MS = 5_000;
const LIST_TIMEOUT_MS = 30_000;
// An API server that sheds load says when to come back; a caller of /init does not wait longer than this.
const LONGEST_RETRY_AFTER_MS = 2_000;
const MOST_RETRIES = 2;
const POOL_MS = 10 * 60_000;
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface Connection {
  api: CoreV1Api;
  leases: CoordinationV1Api;
  kubeConfig: KubeConfig;
  /** Where the credentials belong: the Pod's own namespace, or that of the kubeconfig's context. */
  namespace: string;
}

/** What a call of the API was, for the metric. */
export interface ApiCall {
  method: string;
  /** `pods`, `pods/log`, `services`, … */
  resource: string;
  /** The HTTP status, or `none` if no answer came. */
  code: string;
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
  const configuration = createConfiguration({
    baseServer: new ServerConfiguration(server, {}),
    authMethods: { default: kubeConfig },
    httpApi: wrapHttpLibrary({ send: (request) => sendPatiently(request, called) }),
  });
  const namespace = kubeConfig.getContextObject(kubeConfig.getCurrentContext())?.namespace ?? 'default';
  return {
    api: new CoreV1Api(configuration),
    leases: new CoordinationV1Api(configuration),
    kubeConfig,
    namespace,
  };
}

const http = new IsomorphicFetchHttpLibrary();

/** One call within its time. 429 means that nothing was done, so the call is made again when the server says. */
async function sendPatiently(
  request: RequestContext,
  called: (call: ApiCall) => void,
): Promise<ResponseContext> {
  const { isList, ...what } = describeRequest(request);
  for (let attempt = 0; ; attempt += 1) {
    request.setSignal(AbortSignal.timeout(isList ? LIST_TIMEOUT_MS : CALL_TIMEOUT_MS));
    const response = await http
      .send(request)
      .toPromise()
      .catch((error) => {
        called({ ...what, code: 'none' });
        throw error;
      });
    called({ ...what, code: String(response.httpStatusCode) });
    const pauseMs = Number(response.headers['retry-after'] ?? 1) * 1000;
    const again =
      response.httpStatusCode === 429 && attempt < MOST_RETRIES && pauseMs <= LONGEST_RETRY_AFTER_MS;
    if (!again) return response;
    await response.body.text();
    await sleep(pauseMs * (1 + Math.random() / 4));
  }
}

function describeRequest(request: RequestContext): Omit<ApiCall, 'code'> & { isList: boolean } {
  const method = request.getHttpMethod().toString();
  const [, path = ''] = /\/namespaces\/[^/]+\/(.*)/.exec(new URL(request.getUrl()).pathname) ?? [];
  const [resource = '', name, subresource] = path.split('/');
  return {
    method,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    isList: method === 'GET' && name === undefined,
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

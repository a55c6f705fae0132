/** Makes the calls of the Kubernetes API: so many at a time, each within its time. The client has no such bounds. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type HttpLibrary,
  IsomorphicFetchHttpLibrary,
  type RequestContext,
  type ResponseContext,
  wrapHttpLibrary,
} from '@kubernetes/client-node';
import pLimit from 'p-limit';

// For each call, its wait for others included; a watch has its own.
const CALL_TIMEOUT_MS = 5_000;
const LIST_TIMEOUT_MS = 30_000;
// More at a time would only wait for each other, in an API server on a busy machine.
const CALLS_AT_A_TIME = 50;
// Answered by a Pod's node, which may be away while the API server is not: apart from the rest, and with less patience.
const NODE_RESOURCE = 'pods/log';
const NODE_TIMEOUT_MS = 2_000;
const NODE_CALLS_AT_A_TIME = 20;
// However many calls hang: without its Lease the daemon could do nothing at all.
const URGENT_RESOURCE = 'leases';
// An API server that sheds load says when to come back; a caller of /init does not wait longer than this.
const LONGEST_RETRY_AFTER_MS = 2_000;
const MOST_RETRIES = 2;
// The renewal of the Lease tries again within this time.
const STALLED_MS = 12_000;

/** What a call of the API was, for the metric. */
export interface ApiCall {
  method: string;
  /** `pods`, `pods/log`, `services`, … */
  resource: string;
  /** The HTTP status, or `none` if no answer came. */
  code: string;
}

export interface PatientHttp {
  library: HttpLibrary;
  /** Calls have timed out lately, and none was answered since. */
  isStalled(): boolean;
}

export function createPatientHttp(called: (call: ApiCall) => void): PatientHttp {
  const http = new IsomorphicFetchHttpLibrary();
  const calls = pLimit(CALLS_AT_A_TIME);
  const nodeCalls = pLimit(NODE_CALLS_AT_A_TIME);
  let timedOutAt = Number.NEGATIVE_INFINITY;

  /** 429 means that nothing was done, so the call is made again when the server says. */
  async function sendPatiently(request: RequestContext): Promise<ResponseContext> {
    const what = describeRequest(request);
    for (let attempt = 0; ; attempt += 1) {
      const response = await sendInTime(request, what);
      const pauseMs = Number(response.headers['retry-after'] ?? 1) * 1000;
      const again =
        response.httpStatusCode === 429 && attempt < MOST_RETRIES && pauseMs <= LONGEST_RETRY_AFTER_MS;
      if (!again) return response;
      await response.body.text();
      await sleep(pauseMs * (1 + Math.random() / 4));
    }
  }

  async function sendInTime(request: RequestContext, what: Described): Promise<ResponseContext> {
    const { method, resource } = what;
    const since = performance.now();
    const ofNode = resource === NODE_RESOURCE;
    const signal = AbortSignal.timeout(timeoutOf(what));
    request.setSignal(signal);
    const send = async () => {
      // While this one waited for others, they waited in vain.
      if (signal.aborted || timedOutAt >= since) throw new DOMException('not sent', 'TimeoutError');
      try {
        const response = await http.send(request).toPromise();
        timedOutAt = Number.NEGATIVE_INFINITY;
        return response;
      } catch (error) {
        if (signal.aborted && !ofNode) timedOutAt = performance.now();
        throw error;
      }
    };
    const inTurn = () => (ofNode ? nodeCalls(send) : calls(send));
    try {
      const response = await (resource === URGENT_RESOURCE ? send() : inTurn());
      called({ method, resource, code: String(response.httpStatusCode) });
      return response;
    } catch (error) {
      called({ method, resource, code: 'none' });
      throw error;
    }
  }

  return {
    library: wrapHttpLibrary({ send: sendPatiently }),
    isStalled: () => performance.now() - timedOutAt < STALLED_MS,
  };
}

function timeoutOf({ isList, resource }: Described): number {
  if (resource === NODE_RESOURCE) return NODE_TIMEOUT_MS;
  return isList ? LIST_TIMEOUT_MS : CALL_TIMEOUT_MS;
}

type Described = Omit<ApiCall, 'code'> & { isList: boolean };

function describeRequest(request: RequestContext): Described {
  const method = request.getHttpMethod().toString();
  const [, path = ''] = /\/namespaces\/[^/]+\/(.*)/.exec(new URL(request.getUrl()).pathname) ?? [];
  const [resource = '', name, subresource] = path.split('/');
  return {
    method,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    isList: method === 'GET' && name === undefined,
  };
}

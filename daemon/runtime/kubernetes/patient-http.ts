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
  const limit = pLimit(CALLS_AT_A_TIME);
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
    const { isList, method, resource } = what;
    const since = performance.now();
    const signal = AbortSignal.timeout(isList ? LIST_TIMEOUT_MS : CALL_TIMEOUT_MS);
    request.setSignal(signal);
    const send = async () => {
      // While this one waited for others, they waited in vain.
      if (signal.aborted || timedOutAt >= since) throw new DOMException('not sent', 'TimeoutError');
      try {
        const response = await http.send(request).toPromise();
        timedOutAt = Number.NEGATIVE_INFINITY;
        return response;
      } catch (error) {
        if (signal.aborted) timedOutAt = performance.now();
        throw error;
      }
    };
    try {
      // However many calls hang: without its Lease the daemon could do nothing at all.
      const response = await (resource === 'leases' ? send() : limit(send));
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

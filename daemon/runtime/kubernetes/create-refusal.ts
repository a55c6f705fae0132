import { ApiError } from '../../errors.ts';
import { describeApiError, statusCode } from '../../kubernetes/api-error.ts';

const RETRY_SECONDS = 5;

/** What a caller of `/init` is told when the cluster did not take the session. */
export function createRefusal(error: unknown): ApiError {
  const said = describeApiError(error);
  const code = statusCode(error);
  if (code === 403 && said.includes('exceeded quota')) {
    return new ApiError(429, 'quota_exceeded', `The cluster has no quota left for another session: ${said}`, {
      retryAfterSeconds: RETRY_SECONDS,
    });
  }
  // 401: a token that is being renewed.
  if (code === undefined || code === 401 || code >= 500) {
    return new ApiError(503, 'cluster_unavailable', `The cluster's API can't be used now: ${said}.`, {
      retryAfterSeconds: RETRY_SECONDS,
    });
  }
  // 409: several creates counted against one quota at a time (kubernetes/kubernetes#67761).
  if (code === 429 || code === 409) {
    return new ApiError(503, 'cluster_busy', `The cluster's API asks to try again: ${said}.`, {
      retryAfterSeconds: RETRY_SECONDS,
    });
  }
  return new ApiError(502, 'pod_refused', `The cluster refused the session's Pod: ${said}`);
}

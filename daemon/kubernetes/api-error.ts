/** What a failed call of the Kubernetes API means, told in one line. */
import { ApiException } from '@kubernetes/client-node';
import { z } from 'zod';
import { parseJson } from '../parse-json.ts';

const statusSchema = z.object({ message: z.string().optional() });

export function isStatus(error: unknown, code: number): boolean {
  return statusCode(error) === code;
}

/** The HTTP status, if the API server answered at all. */
export function statusCode(error: unknown): number | undefined {
  if (error instanceof ApiException) return error.code;
  return (error as { statusCode?: number }).statusCode;
}

/**
 * Whether the call may have been carried out although it failed: no answer came, or one that says nothing.
 */
export function isUncertain(error: unknown): boolean {
  const code = statusCode(error);
  return code === undefined || code >= 500;
}

/** The API server's own words where it said something, else what went wrong on the way. */
export function describeApiError(error: unknown): string {
  if (error instanceof ApiException) {
    const body = statusSchema.safeParse(typeof error.body === 'string' ? parseJson(error.body) : error.body);
    return body.data?.message ?? `the API server answered ${error.code}`;
  }
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return 'the API server did not answer in time';
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}

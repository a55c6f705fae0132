import type { Context } from 'koa';
import rawBody from 'raw-body';
import type { z } from 'zod';
import { ApiError } from '../errors.ts';

const MOST_BYTES = 64 * 1024;

/**
 * The request's JSON body, checked; `{}` if there is none.
 * @throws {ApiError} 400, 413 or 415, with what is wrong and where
 */
export async function readBody<T>(ctx: Context, schema: z.ZodType<T>): Promise<T> {
  const bytes = await readBytes(ctx);
  if (bytes.length === 0) return check(schema, {}, 'body');
  const charset = ctx.request.charset.toLowerCase();
  if (!ctx.is('application/json') || !['', 'utf-8'].includes(charset) || ctx.get('content-encoding') !== '') {
    throw new ApiError(
      415,
      'unsupported_media_type',
      'Send the body as content-type: application/json, in UTF-8, not compressed.',
    );
  }
  return check(schema, parse(bytes), 'body');
}

async function readBytes(ctx: Context): Promise<Buffer> {
  try {
    return await rawBody(ctx.req, { length: ctx.req.headers['content-length'] ?? null, limit: MOST_BYTES });
  } catch (error) {
    const { type } = error as { type?: string };
    if (type === 'entity.too.large') {
      // What is left unread of it would be taken for the next request.
      ctx.set('connection', 'close');
      throw new ApiError(413, 'body_too_large', `The body is larger than ${MOST_BYTES / 1024} KB.`);
    }
    throw new ApiError(400, 'bad_body', 'The body did not arrive whole.');
  }
}

function parse(bytes: Buffer): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return JSON.parse(text, refusePrototype);
  } catch (error) {
    throw new ApiError(400, 'bad_json', `The body is not JSON: ${(error as Error).message}.`);
  }
}

// As a field of an object it would vanish without a word.
function refusePrototype(name: string, value: unknown): unknown {
  if (name === '__proto__') throw new Error('no field may be called __proto__');
  return value;
}

/** @param where what was checked, for the message. @throws {ApiError} 400 that names the field */
export function check<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues as [z.core.$ZodIssue];
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => JSON.stringify([...issue.path, key].join('.'))).join(', ');
    throw new ApiError(400, 'unknown_field', `Unknown in the ${where}: ${names}.`);
  }
  // Of a name in a record, what is wrong stands one level deeper.
  const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  const field = issue.path.length > 0 ? ` at ${JSON.stringify(issue.path.join('.'))}` : '';
  throw new ApiError(400, 'invalid_field', `The ${where}${field} is wrong: ${message}.`);
}

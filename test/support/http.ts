import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** A unix socket's path, or `ip:port`. */
export type Address = string;

export interface Call {
  method?: string;
  headers?: { [name: string]: string };
  body?: string | Buffer | Readable;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** One request on a connection of its own; resolves with the head of the answer, whose body is still to be read. */
export function open(address: Address, path: string, call: Call = {}): Promise<IncomingMessage> {
  const { method = 'GET', body = '' } = call;
  const headers = { ...call.headers };
  // Node frames no body of a DELETE by itself.
  if (!(body instanceof Readable) && body.length > 0)
    headers['content-length'] = String(Buffer.byteLength(body));
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...whereTo(address), path, method, headers, agent: false }, resolve);
    outgoing.on('error', reject);
    if (body instanceof Readable) body.pipe(outgoing);
    else outgoing.end(body);
  });
}

/** One request and its whole answer. */
export async function ask(address: Address, path: string, call: Call = {}): Promise<Answer> {
  const incoming = await open(address, path, call);
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: await text(incoming) };
}

/** The options of node:http and node:net for an address. */
export function whereTo(address: Address): { socketPath: string } | { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return address.startsWith('/')
    ? { socketPath: address }
    : { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

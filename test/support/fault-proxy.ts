import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { kubeconfigOf } from './kube-api.ts';

/** Which requests are meant. What is left out may be anything. */
export interface Match {
  method?: string;
  /** Of path and query, such as `/pods\?.*watch=true/`. */
  path?: RegExp;
}

/** What happens to a request in place of an answer. */
export type Fault =
  /** Answered by the proxy; the API server does not hear of it. */
  | { answer: number; headers?: Record<string, string>; body?: string }
  /** Never answered, nor passed on. */
  | 'stall'
  /** The API server does it, but its answer is lost with the connection. */
  | 'lose-reply'
  /** The connection is cut before anything is passed on. */
  | 'cut';

export interface Planned {
  /** How many requests it has met so far. */
  readonly hits: number;
  remove(): void;
}

export interface Exchange {
  method: string;
  /** With its query. */
  path: string;
  /** Of the answer the client got; 0 if it got none (yet). */
  status: number;
}

/** Plain http for the client, https to a real API server, and what goes wrong in between. */
export interface FaultProxy {
  /** `http://127.0.0.1:<port>` */
  server: string;
  /** Path of a kubeconfig that leads through the proxy, with the token given at the start. */
  kubeconfig: string;
  config: KubeConfig;
  /** Every request so far, in order of arrival. */
  log: Exchange[];
  count(match: Match): number;
  /** The next `times` requests that match (after `skip` that pass) meet the fault. Plans are tried in their order. */
  plan(match: Match, fault: Fault, limits?: { times?: number; skip?: number }): Planned;
  /** Half-open: no byte of these answers passes any more, though their connections stay. Returns how many there are. */
  freeze(match: Match): number;
  /** Ends these answers with a watch event of type ERROR, such as 410. Returns how many there are. */
  expire(match: Match, code: number): number;
  /** From now on all connections are refused, and those that exist are cut. */
  away(): Promise<void>;
  back(): Promise<void>;
  stop(): Promise<void>;
}

/** A plan's number of requests, when it holds until it is removed. */
export const ALWAYS = Number.POSITIVE_INFINITY;

/** `api` is the API server that stands behind; `token` is who its clients are. */
export async function startFaultProxy(
  api: { server: string; caData: string },
  token: string,
): Promise<FaultProxy> {
  const upstream = new Agent({ keepAlive: true, ca: Buffer.from(api.caData, 'base64') });
  const plans: (Match & { fault: Fault; skip: number; left: number; hits: number })[] = [];
  const open = new Set<{ exchange: Exchange; from: IncomingMessage; to: ServerResponse }>();
  const sockets = new Set<Socket>();
  const log: Exchange[] = [];

  const server = createServer((incoming, outgoing) => {
    const exchange = { method: incoming.method ?? '', path: incoming.url ?? '', status: 0 };
    log.push(exchange);
    const fault = faultFor(exchange);
    if (fault === undefined) forward(incoming, outgoing, exchange, (from) => pass(exchange, from, outgoing));
    else if (fault === 'cut') incoming.socket.destroy();
    else if (fault === 'lose-reply')
      forward(incoming, outgoing, exchange, (from) => lose(from, incoming.socket));
    else if (fault !== 'stall') {
      exchange.status = fault.answer;
      outgoing.writeHead(fault.answer, { 'content-type': 'application/json', ...fault.headers });
      outgoing.end(fault.body ?? JSON.stringify(statusObject(fault.answer)));
    }
  });
  server.on('connection', (socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)));
  });

  function faultFor(exchange: Exchange): Fault | undefined {
    const plan = plans.find((one) => one.left > 0 && matches(one, exchange));
    if (!plan) return undefined;
    if (plan.skip > 0) {
      plan.skip--;
      return undefined;
    }
    plan.left--;
    plan.hits++;
    return plan.fault;
  }

  function forward(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    { method, path }: Exchange,
    answered: (from: IncomingMessage) => void,
  ): void {
    const { hostname, port } = new URL(api.server);
    const { host: _, connection: __, ...headers } = incoming.headers;
    const options: RequestOptions = { hostname, port, path, method, headers, agent: upstream };
    const asked = request(options, answered).on('error', () => incoming.socket.destroy());
    incoming.pipe(asked);
    // A client that leaves ends its request, a watch above all.
    outgoing.once('close', () => outgoing.writableFinished || asked.destroy());
  }

  function pass(exchange: Exchange, from: IncomingMessage, to: ServerResponse): void {
    exchange.status = from.statusCode ?? 0;
    to.writeHead(exchange.status, from.headers);
    to.flushHeaders();
    from.pipe(to);
    // A stream that breaks off behind the proxy must break off for the client too.
    from.once('aborted', () => to.destroy());
    from.once('error', () => to.destroy());
    const one = { exchange, from, to };
    open.add(one);
    to.once('close', () => open.delete(one));
  }

  const streams = (match: Match) => [...open].filter(({ exchange }) => matches(match, exchange));
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const away = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  await listen(0);
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}`;
  const scratch = await mkdtemp(join(tmpdir(), 'spawner-proxy-'));
  const kubeconfig = join(scratch, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigOf(address, token), { mode: 0o600 });
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);

  return {
    ...{ server: address, kubeconfig, config, log, away },
    count: (match) => log.filter((exchange) => matches(match, exchange)).length,
    plan(match, fault, { times = 1, skip = 0 } = {}) {
      const plan = { ...match, fault, skip, left: times, hits: 0 };
      plans.push(plan);
      return {
        get hits() {
          return plan.hits;
        },
        remove: () => {
          plan.left = 0;
        },
      };
    },
    freeze(match) {
      const found = streams(match);
      for (const { from, to } of found) from.unpipe(to).resume();
      return found.length;
    },
    expire(match, code) {
      const found = streams(match);
      for (const { from, to } of found) {
        from.unpipe(to).resume();
        to.end(`${JSON.stringify({ type: 'ERROR', object: statusObject(code) })}\n`);
      }
      return found.length;
    },
    back: () => listen(port),
    async stop() {
      if (server.listening) await away();
      upstream.destroy();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

function matches({ method, path }: Match, exchange: Exchange): boolean {
  return (method === undefined || method === exchange.method) && (path?.test(exchange.path) ?? true);
}

function lose(from: IncomingMessage, client: Socket): void {
  from.resume().once('end', () => client.destroy());
}

/** What an API server says of an error: a `Status` object. */
function statusObject(code: number): object {
  const reasons: Record<number, string> = {
    401: 'Unauthorized',
    403: 'Forbidden',
    409: 'Conflict',
    410: 'Expired',
    429: 'TooManyRequests',
    500: 'InternalError',
    503: 'ServiceUnavailable',
  };
  const message = `fault of a test: ${code}`;
  return {
    apiVersion: 'v1',
    kind: 'Status',
    status: 'Failure',
    message,
    reason: reasons[code],
    code,
    metadata: {},
  };
}

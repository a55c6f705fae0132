import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import pino from 'pino';
import { createRouterClient } from '../../../daemon/routers/router-client.ts';
import {
  createRouters,
  type RouterMember,
  type Routers,
  type RoutersParts,
} from '../../../daemon/routers/routers.ts';
import { until } from '../../support/poll.ts';
import { type Router, type RouterOptions, startRouter } from '../../support/router.ts';

/** A real router for one test. */
export async function router(t: ExecutionContext, options: RouterOptions = {}): Promise<Router> {
  const started = await startRouter(options);
  t.teardown(async () => {
    if (!t.passed) t.log(await started.errorLog());
    await started.stop();
  });
  return started;
}

export const adminOf = ({ adminAddress }: Router) => `unix:${adminAddress}`;

/** Named by hand, as `--router` does. */
export const named = (...addresses: string[]): RouterMember[] =>
  addresses.map((address) => ({ address, discovered: false }));

/** Found in a cluster. */
export const found = (...addresses: string[]): RouterMember[] =>
  addresses.map((address) => ({ address, discovered: true }));

/** The daemon's side of all routers; it knows none yet. */
export function create(t: ExecutionContext, parts: Partial<RoutersParts> = {}, token?: string): Routers {
  const routers = createRouters({
    connect: (address) => createRouterClient(address, token),
    log: pino({ level: 'silent' }),
    now: () => performance.now(),
    mode: 'path',
    refused() {},
    filled() {},
    ...parts,
  });
  t.teardown(routers.stop);
  return routers;
}

/** The daemon's side of these routers. */
export function follow(t: ExecutionContext, members: RouterMember[], token?: string): Routers {
  const routers = create(t, {}, token);
  routers.follow(members);
  return routers;
}

export const allLive = (routers: Routers) =>
  until('every router to be live', () => routers.status().every(({ state }) => state === 'live'));

export async function stored(member: Router): Promise<Record<string, [string, number, string, string?]>> {
  return (await member.admin.call('GET', '/v1/routes')).body.routes;
}

export interface Gate {
  /** For `follow`. */
  address: string;
  /** What came, such as `GET /v1/health`, in its order. */
  calls: string[];
  /** What stands in a call's way: it is answered 503, or waits for something before it is passed on. */
  fault(call: string): 'fail' | Promise<void> | undefined;
}

/** Stands before a router's admin API. */
export async function gate(t: ExecutionContext, member: Router): Promise<Gate> {
  const server = createServer(async (incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const call = `${method} ${path}`;
    opened.calls.push(call);
    const fault = opened.fault(call);
    if (fault === 'fail') {
      outgoing.writeHead(503, { 'content-type': 'application/json' });
      outgoing.end('{"error":{"code":"router_busy","message":"busy","requestId":"1"}}');
      return;
    }
    await fault;
    const onward = request({ socketPath: member.adminAddress, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const opened: Gate = { address: `http://127.0.0.1:${port}`, calls: [], fault: () => undefined };
  return opened;
}

import { prepareActivity } from './activity-zone.ts';
import { deleteRoute, getRoute, getRoutes, postRoutes, putRoute, type Settings } from './admin-routes.ts';
import { getActivity, getHealth, getHealthz, getReadyz, postFilled } from './admin-status.ts';
import { whileTableLocked } from './lock.ts';
import { report } from './log.ts';
import { badRequest, fail, type Reply, send } from './reply.ts';
import { isSessionId } from './route.ts';
import { callerOf, refusalOf } from './token.ts';

/** The admin API, version 1: docs/router-api.md. The only handler that writes to the table. */
interface Call {
  id: string;
  body: unknown;
  generation: string | undefined;
  mode: string;
  settings: Settings;
}

type Methods = { [method: string]: (call: Call) => Reply };

const CALLS: { [path: string]: Methods } = {
  '/v1/health': { GET: (call) => getHealth(call.mode, call.settings.pool) },
  '/v1/activity': { GET: (call) => getActivity(call.settings.pool) },
  '/v1/filled': { POST: (call) => postFilled(call.body, call.settings.pool) },
  '/v1/routes': {
    GET: (call) => getRoutes(call.settings),
    POST: (call) => postRoutes(call.body, call.settings),
  },
  '/v1/routes/:id': {
    GET: (call) => getRoute(call.id),
    PUT: (call) => putRoute(call.id, call.body, call.settings),
    DELETE: (call) => deleteRoute(call.id, call.generation, call.settings),
  },
};

/** For the kubelet, which has no token: nothing else is served without one. */
const PROBES: { [path: string]: (backends: string) => Reply } = {
  '/healthz': getHealthz,
  '/readyz': getReadyz,
};

export async function admin(r: NginxHTTPRequest): Promise<void> {
  const reply = await replyTo(r);
  if (reply.status === 503) {
    r.headersOut['Retry-After'] = '1';
  }
  send(r, reply);
}

async function replyTo(r: NginxHTTPRequest): Promise<Reply> {
  try {
    return refusalOrProbe(r) || (await answer(r));
  } catch (error) {
    report(`the admin API failed: ${(error as Error).message}`, r.variables.request_id);
    return fail(500, 'router_error', 'the router failed: its log says how');
  }
}

function refusalOrProbe(r: NginxHTTPRequest): Reply | undefined {
  const probe = PROBES[r.uri];
  if (probe !== undefined && (r.method === 'GET' || r.method === 'HEAD')) {
    return probe(r.variables.spawner_allowed_backends || '');
  }
  return refusalOf(callerOf(r));
}

async function answer(r: NginxHTTPRequest): Promise<Reply> {
  const prefix = '/v1/routes/';
  const id = r.uri.startsWith(prefix) ? r.uri.slice(prefix.length) : '';
  const methods = CALLS[id === '' ? r.uri : '/v1/routes/:id'];
  if (methods === undefined) {
    return fail(404, 'not_found', 'the admin API has no such path');
  }
  const method = methods[r.method];
  if (method === undefined) {
    return fail(405, 'method_not_allowed', `this path takes ${Object.keys(methods).join(', ')}`);
  }
  if (id !== '' && !isSessionId(id)) {
    return badRequest('the path names what is not a session id');
  }
  const call: Call = {
    id,
    body: undefined,
    generation: r.args.generation,
    mode: r.variables.spawner_mode || '',
    settings: {
      backends: r.variables.spawner_allowed_backends || '',
      pool: r.variables.spawner_pool || '',
    },
  };
  if (r.method === 'POST' || r.method === 'PUT') {
    try {
      call.body = JSON.parse(r.requestText || '');
    } catch (_error) {
      return badRequest('the body is not JSON');
    }
  }
  prepareActivity();
  if (r.method === 'GET') {
    return method(call);
  }
  const reply = await whileTableLocked(() => method(call));
  return reply || fail(503, 'router_busy', 'another worker is writing to the table: try again');
}

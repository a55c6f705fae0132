import { plain } from './app.ts';
import type { Case, Session } from './case.ts';

/** What makes a GET fail: prepares a session, and gives the bytes of a request with more header lines. */
export interface Failure {
  id: string;
  says: string;
  status: number;
  code: string;
  /** Whether nginx refuses it before it has read the headers, and so can't know who asks. */
  blind?: boolean;
  prepare(c: Case): Promise<{ session: Session; request: (headers: string[], method?: string) => string }>;
}

const ordinary = (session: Session, rest = '/') => ({
  session,
  request: (headers: string[], method?: string) => session.head(rest, headers, method),
});

const named = (session: Session, id: string) => ({
  session,
  request: (headers: string[], method?: string) =>
    session.head('/', headers, method).replaceAll(session.id, id),
});

export const FAILURES: Failure[] = [
  {
    ...{ id: 'unknown', says: 'a session that never was', status: 404, code: 'unknown_session' },
    prepare: async (c) => named(await c.session(), 'c'.repeat(26)),
  },
  {
    ...{ id: 'gone', says: 'a session that has ended', status: 410, code: 'session_gone' },
    prepare: async (c) => {
      const session = await c.session();
      await session.router.remove(session.id);
      return ordinary(session);
    },
  },
  {
    ...{ id: 'draining', says: 'a session that is ending', status: 503, code: 'session_draining' },
    prepare: async (c) => {
      const session = await c.session();
      await session.put('draining');
      return ordinary(session);
    },
  },
  {
    ...{ id: 'not-filled', says: 'a router that has just started', status: 503, code: 'router_not_filled' },
    prepare: async (c) => named(await c.session(undefined, 'unfilled'), 'c'.repeat(26)),
  },
  {
    ...{ id: 'refused', says: 'an app that does not listen', status: 502, code: 'bad_gateway' },
    prepare: async (c) => {
      const session = await c.session();
      await session.put('ready', '127.0.0.1:9');
      return ordinary(session);
    },
  },
  {
    ...{ id: 'cut', says: 'an app that hangs up without an answer', status: 502, code: 'bad_gateway' },
    prepare: async (c) => ordinary(await c.session((visit) => void visit.socket.end())),
  },
  {
    ...{ id: 'long-headers', says: 'an app whose headers are above 8 KB', status: 502, code: 'bad_gateway' },
    prepare: async (c) =>
      ordinary(await c.session((visit) => visit.end(plain('', `X-Long: ${'x'.repeat(9000)}`)))),
  },
  {
    ...{ id: 'timeout', says: 'an app that never answers', status: 504, code: 'gateway_timeout' },
    prepare: async (c) => ordinary(await c.session(() => {}, 'impatient')),
  },
  {
    ...{ id: 'bad-request', says: 'a request nginx refuses', status: 400, code: 'bad_request', blind: true },
    prepare: async (c) => ordinary(await c.session(), '/%00'),
  },
  {
    ...{
      id: 'long-target',
      says: 'a target that is too long',
      status: 414,
      code: 'target_too_long',
      blind: true,
    },
    prepare: async (c) => ordinary(await c.session(), `/${'x'.repeat(50_000)}`),
  },
];

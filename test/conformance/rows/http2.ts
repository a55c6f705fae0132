import { once } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http2';
import { constants } from 'node:http2';
import { plain } from '../app.ts';
import { codeOf } from '../ask.ts';
import type { Case, Session } from '../case.ts';
import { ask2, openHttp2 } from '../http2-client.ts';
import type { Check } from '../row.ts';

/** What an app sees of a GET over HTTP/2. */
async function heardOf(c: Case, names: string[], headers: OutgoingHttpHeaders = {}): Promise<string> {
  const session = await c.session(undefined, 'tls');
  await ask2(await openHttp2(c, session), session, '/x', headers);
  const visit = session.visits[0];
  return [visit?.line ?? 'nobody', ...names.map((name) => visit?.header(name) ?? '-')].join(', ');
}

export const http2: Check[] = [
  {
    id: 'h2-request',
    says: 'a request over HTTP/2 reaches its app as HTTP/1.1',
    expected: 'GET <base>/x HTTP/1.1, <host>, https, <host>, for=127.0.0.1;host="<host>";proto=https',
    see: (c) => heardOf(c, ['host', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded']),
  },
  {
    id: 'h2-target',
    says: 'its target arrives byte for byte',
    expected: 'GET <base>/a%2f//b/./%2e%2e;c?d=%00&& HTTP/1.1',
    see: async (c) => {
      const session = await c.session(undefined, 'tls');
      await ask2(await openHttp2(c, session), session, '/a%2f//b/./%2e%2e;c?d=%00&&');
      return session.visits[0]?.line ?? 'nobody';
    },
  },
  {
    id: 'h2-cookies',
    says: 'cookies that HTTP/2 parts come together again',
    expected: 'GET <base>/x HTTP/1.1, a=1; b=2',
    see: (c) => heardOf(c, ['cookie'], { cookie: ['a=1', 'b=2'] }),
  },
  {
    id: 'h2-streams',
    says: '40 requests at once on one connection each reach their own session',
    expected: '40 right',
    see: async (c) => {
      const sessions = [await c.session(undefined, 'tls'), await c.session(undefined, 'tls')] as const;
      const connection = await openHttp2(c, sessions[0]);
      const asked = Array.from({ length: 40 }, async (_, number) => {
        const session = sessions[number % 2] as Session;
        const { body } = await ask2(connection, session, `/${number}`);
        return session.visits.some(({ line }) => line === body) && body.includes(`/${number} `);
      });
      return `${(await Promise.all(asked)).filter(Boolean).length} right`;
    },
  },
  {
    id: 'h2-host-differs',
    says: 'a Host beside another :authority is 400',
    expected: '400 bad_request, nobody',
    see: async (c) => {
      const [a, b] = [await c.session(undefined, 'tls'), await c.session(undefined, 'tls')];
      const answer = await ask2(await openHttp2(c, a), a, '/', {
        host: c.mode === 'host' ? b.host : 'other.test',
      });
      return `${answer.status} ${codeOf(answer.body)}, ${a.visits.length + b.visits.length === 0 ? 'nobody' : 'somebody'}`;
    },
  },
  {
    id: 'h2-upload',
    says: 'an upload streams, and an answer',
    expected: 'first, then firstlast',
    see: async (c) => {
      const { promise: began, resolve } = Promise.withResolvers<string>();
      const session = await c.session(async (visit) => {
        resolve((await visit.bytes.until('first'))?.slice(-5) ?? '');
        visit.end(plain(`first${(await visit.bytes.until('last'))?.slice(-4)}`));
      }, 'tls');
      const connection = await openHttp2(c, session);
      const stream = connection.request({
        ...{ ':method': 'POST', ':path': session.target('/'), ':authority': session.host },
      });
      stream.write('first');
      const first = await began;
      stream.end('last');
      stream.setEncoding('latin1');
      let body = '';
      for await (const chunk of stream) body += chunk;
      return `${first}, then ${body}`;
    },
  },
  {
    id: 'h2-sse',
    says: 'an event arrives before the next one is sent',
    expected: 'data: 1, data: 2',
    see: async (c) => {
      let next = () => {};
      const session = await c.session((visit) => {
        visit.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
        next = () => visit.end('data: 2\n\n');
      }, 'tls');
      const connection = await openHttp2(c, session);
      const stream = connection.request({ ':path': session.target('/'), ':authority': session.host });
      stream.setEncoding('latin1');
      const [first] = await once(stream, 'data');
      next();
      const [second] = await once(stream, 'data');
      return `${first.trim()}, ${second.trim()}`;
    },
  },
  {
    id: 'h2-reset',
    says: 'a stream that is given up ends at its app, and hurts no other',
    expected: 'the app heard, the other got GET <base>/other HTTP/1.1',
    see: async (c) => {
      const { promise: heard, resolve } = Promise.withResolvers<void>();
      const session = await c.session(async (visit) => {
        if (visit.line.includes('/other')) return visit.end(plain(visit.line));
        visit.send('HTTP/1.1 200 OK\r\n\r\nfor ever');
        void visit.bytes.ended.then(() => resolve());
      }, 'tls');
      const connection = await openHttp2(c, session);
      const stream = connection.request({ ':path': session.target('/'), ':authority': session.host });
      stream.on('error', () => {});
      await once(stream, 'data');
      stream.close(constants.NGHTTP2_CANCEL);
      await heard;
      return `the app heard, the other got ${(await ask2(connection, session, '/other')).body}`;
    },
  },
  {
    id: 'h2-error',
    says: 'the router’s own answers are the same',
    expected: '404 unknown_session',
    see: async (c) => {
      const session = await c.session(undefined, 'tls');
      const id = 'c'.repeat(26);
      const answer = await ask2(await openHttp2(c, session), session, '/', {
        ':path': session.target('/').replace(session.id, id),
        ':authority': session.host.replace(session.id, id),
      });
      return `${answer.status} ${codeOf(answer.body)}`;
    },
  },
];

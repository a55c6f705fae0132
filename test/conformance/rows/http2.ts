import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { plain } from '../app.ts';
import type { Case, Session } from '../case.ts';
import { dial } from '../client.ts';
import { framesOn, TEXT } from '../frames.ts';
import type { Row } from '../row.ts';
import { codeOf } from './target.ts';
import { accept, handshake } from './web-socket.ts';

const group = 'HTTP/2 and HTTP/1.0';

interface Answer {
  status: number;
  headers: { [name: string]: unknown };
  body: string;
  trailers: { [name: string]: unknown };
  interim: { [name: string]: unknown }[];
}

/** An HTTP/2 connection to the session's router, closed with the row. */
async function openHttp2(c: Case, session: Session): Promise<ClientHttp2Session> {
  const { host, port } = session.router.place;
  const connection = connectHttp2(`https://${host}:${port}`, { rejectUnauthorized: false });
  c.after(() => connection.destroy());
  connection.on('error', () => {});
  await once(connection, 'connect');
  return connection;
}

async function ask2(
  connection: ClientHttp2Session,
  session: Session,
  rest: string,
  headers: OutgoingHttpHeaders = {},
): Promise<Answer> {
  const head = { ':path': session.target(rest), ':authority': session.host, ...headers };
  const stream = connection.request(head, { endStream: true });
  const answer: Answer = { status: 0, headers: {}, body: '', trailers: {}, interim: [] };
  stream.on('headers', (interim) => answer.interim.push(interim));
  stream.on('trailers', (trailers) => {
    answer.trailers = trailers;
  });
  stream.on('response', (incoming) => {
    answer.status = Number(incoming[':status']);
    answer.headers = incoming;
  });
  stream.setEncoding('latin1');
  for await (const chunk of stream) answer.body += chunk;
  return answer;
}

/** What an app sees of a GET over HTTP/2. */
async function heardOf(c: Case, names: string[], headers: OutgoingHttpHeaders = {}): Promise<string> {
  const session = await c.session(undefined, 'tls');
  await ask2(await openHttp2(c, session), session, '/x', headers);
  const visit = session.visits[0];
  return [visit?.line ?? 'nobody', ...names.map((name) => visit?.header(name) ?? '-')].join(', ');
}

export const http2: Row[] = [
  {
    ...{ group, id: 'h2-request', says: 'a request over HTTP/2 reaches its app as HTTP/1.1' },
    expected: 'GET <base>/x HTTP/1.1, <host>, https, <host>, for=127.0.0.1;host="<host>";proto=https',
    see: (c) => heardOf(c, ['host', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded']),
  },
  {
    ...{ group, id: 'h2-target', says: 'its target arrives byte for byte' },
    expected: 'GET <base>/a%2f//b/./%2e%2e;c?d=%00&& HTTP/1.1',
    see: async (c) => {
      const session = await c.session(undefined, 'tls');
      await ask2(await openHttp2(c, session), session, '/a%2f//b/./%2e%2e;c?d=%00&&');
      return session.visits[0]?.line ?? 'nobody';
    },
  },
  {
    ...{ group, id: 'h2-cookies', says: 'cookies that HTTP/2 parts come together again' },
    expected: 'GET <base>/x HTTP/1.1, a=1; b=2',
    see: (c) => heardOf(c, ['cookie'], { cookie: ['a=1', 'b=2'] }),
  },
  {
    ...{
      group,
      id: 'h2-streams',
      says: '40 requests at once on one connection each reach their own session',
    },
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
    ...{
      group,
      id: 'h2-host-differs',
      says: 'a Host beside another :authority is 400',
      expected: '400 bad_request, nobody',
    },
    see: async (c) => {
      const [a, b] = [await c.session(undefined, 'tls'), await c.session(undefined, 'tls')];
      const answer = await ask2(await openHttp2(c, a), a, '/', {
        host: c.mode === 'host' ? b.host : 'other.test',
      });
      return `${answer.status} ${codeOf(answer.body)}, ${a.visits.length + b.visits.length === 0 ? 'nobody' : 'somebody'}`;
    },
  },
  {
    ...{
      group,
      id: 'h2-upload',
      says: 'an upload streams, and an answer',
      expected: 'first, then firstlast',
    },
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
    ...{
      group,
      id: 'h2-sse',
      says: 'an event arrives before the next one is sent',
      expected: 'data: 1, data: 2',
    },
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
    ...{ group, id: 'h2-reset', says: 'a stream that is given up ends at its app, and hurts no other' },
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
    ...{ group, id: 'h2-trailers', says: 'trailers reach the client', expected: 'body, 1' },
    limits: [
      {
        on: { line: 'stable' },
        sees: 'body, none',
        because: 'nginx can pass trailers of backends from 1.27.2 on',
      },
    ],
    see: async (c) => {
      const session = await c.session(
        (visit) =>
          visit.end(
            'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 1\r\n\r\n',
          ),
        'tls',
      );
      const answer = await ask2(await openHttp2(c, session), session, '/', { te: 'trailers' });
      return `${answer.body}, ${answer.trailers['x-sum'] ?? 'none'}`;
    },
  },
  {
    ...{ group, id: 'early-hints', says: '103 Early Hints reach a client of HTTP/2' },
    expected: {
      path: '200 after none',
      'path-kept': '200 after </a.css>; rel=preload',
      host: '200 after </a.css>; rel=preload',
    },
    limits: [
      { on: { line: 'stable' }, sees: '200 after none', because: 'nginx can pass 103 on from 1.29 on' },
    ],
    see: async (c) => {
      const session = await c.session(
        (visit) =>
          visit.end(
            'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
          ),
        'tls',
      );
      const answer = await ask2(await openHttp2(c, session), session, '/');
      return `${answer.status} after ${answer.interim.map(({ link }) => link).join() || 'none'}`;
    },
  },
  {
    ...{
      group,
      id: 'h2-location',
      says: 'redirects lead to https',
      expected: { path: 'https://<host>/p/<A>/x', 'path-kept': 'https://<host>/x', host: 'https://<host>/x' },
    },
    see: async (c) => {
      const session = await c.session(
        (visit) =>
          visit.end(`HTTP/1.1 302 Found\r\nLocation: https://${session.host}/x\r\nContent-Length: 0\r\n\r\n`),
        'tls',
      );
      return String((await ask2(await openHttp2(c, session), session, '/')).headers.location);
    },
  },
  {
    ...{
      group,
      id: 'h2-error',
      says: 'the router’s own answers are the same',
      expected: '404 unknown_session',
    },
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
  {
    ...{
      group,
      id: 'h2-no-extended-connect',
      says: 'WebSocket over HTTP/2 is not offered, so browsers open HTTP/1.1 beside it',
    },
    expected: 'not offered',
    see: async (c) => {
      const session = await c.session(undefined, 'tls');
      const connection = await openHttp2(c, session);
      await c.until(() => connection.remoteSettings !== undefined);
      return connection.remoteSettings.enableConnectProtocol ? 'offered' : 'not offered';
    },
  },
  {
    ...{
      group,
      id: 'wss',
      says: 'a WebSocket over TLS, beside HTTP/2 on the same port',
      expected: '1:hello, https',
    },
    see: async (c) => {
      const session = await c.session(async (visit) => {
        const frames = accept(visit);
        const heard = await frames.next();
        frames.send({ opcode: TEXT, payload: heard?.payload ?? '' });
      }, 'tls');
      const client = dial(session.router.place);
      c.after(() => client.close());
      client.send(handshake(session));
      await client.reply();
      const frames = framesOn(client.socket, client.bytes, true);
      frames.send({ opcode: TEXT, payload: 'hello' });
      const frame = await frames.next();
      return `${frame?.opcode}:${frame?.payload}, ${session.visits[0]?.header('x-forwarded-proto')}`;
    },
  },
  {
    ...{ group, id: 'tls-http1', says: 'HTTP/1.1 over TLS', expected: 'GET <base>/x HTTP/1.1' },
    see: async (c) => (await (await c.session(undefined, 'tls')).get('/x')).body,
  },
  {
    ...{ group, id: 'tls-old', says: 'TLS below 1.2 is refused', expected: 'refused' },
    see: async (c) => {
      const { host, port } = (await c.session(undefined, 'tls')).router.place;
      const options = { host, port, rejectUnauthorized: false, ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
      const socket = connectTls({ ...options, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
      c.after(() => socket.destroy());
      return new Promise((resolve) => {
        socket.once('secureConnect', () => resolve('accepted'));
        socket.once('error', () => resolve('refused'));
      });
    },
  },
  {
    ...{ group, id: 'http-to-https', says: 'plain HTTP to the port of TLS is led to https' },
    expected: '308 https://<host><prefix>/x?y',
    see: async (c) => {
      const session = await c.session(undefined, 'tls');
      const client = dial({ ...session.router.place, tls: false });
      c.after(() => client.close());
      client.send(session.head('/x?y'));
      const reply = await client.reply();
      return `${reply?.status} ${reply?.header('location')}`;
    },
  },
  {
    ...{
      group,
      id: 'http09',
      says: 'HTTP/0.9, a target and nothing else, reaches nobody',
      expected: 'nobody',
    },
    limits: [
      { on: { mode: 'path' }, sees: 'A, as HTTP/1.1', because: 'nginx still takes HTTP/0.9' },
      { on: { mode: 'path-kept' }, sees: 'A, as HTTP/1.1', because: 'nginx still takes HTTP/0.9' },
    ],
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      client.send(`GET ${session.target('/')}\r\n`);
      await client.bytes.rest();
      const line = session.visits[0]?.line;
      return line ? `A, as ${line.split(' ')[2]}` : 'nobody';
    },
  },
  {
    ...{ group, id: 'http10', says: 'HTTP/1.0 is served, and its app still gets HTTP/1.1' },
    expected: 'GET <base>/x HTTP/1.1, <host>; closed',
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      client.send(`GET ${session.target('/x')} HTTP/1.0\r\nHost: ${session.host}\r\n\r\n`);
      await client.reply();
      const visit = session.visits[0];
      return `${visit?.line}, ${visit?.header('host')}; ${(await client.bytes.ended) === 'end' ? 'closed' : 'cut'}`;
    },
  },
  {
    ...{
      group,
      id: 'http10-no-host',
      says: 'HTTP/1.0 without Host: the path is enough where sessions share a host',
    },
    expected: {
      path: 'GET <base>/x HTTP/1.1, some host',
      'path-kept': 'GET <base>/x HTTP/1.1, some host',
      host: 'nobody, none',
    },
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      client.send(`GET ${session.target('/x')} HTTP/1.0\r\n\r\n`);
      await client.reply();
      const visit = session.visits[0];
      return `${visit?.line ?? 'nobody'}, ${visit?.header('host') ? 'some host' : 'none'}`;
    },
  },
  {
    ...{
      group,
      id: 'http10-chunked',
      says: 'an HTTP/1.0 client gets no chunks',
      expected: 'hello, not chunked',
    },
    see: async (c) => {
      const session = await c.session((visit) =>
        visit.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
      );
      const client = session.dial();
      client.send(`GET ${session.target('/')} HTTP/1.0\r\nHost: ${session.host}\r\n\r\n`);
      const reply = await client.reply();
      return `${reply?.body}, ${reply?.header('transfer-encoding') ?? 'not chunked'}`;
    },
  },
  {
    ...{ group, id: 'http10-keep-alive', says: 'its keep-alive works', expected: '/1 /2' },
    see: async (c) => {
      const session = await c.session();
      const client = session.dial();
      const seen = [];
      for (const rest of ['/1', '/2']) {
        client.send(
          `GET ${session.target(rest)} HTTP/1.0\r\nHost: ${session.host}\r\nConnection: keep-alive\r\n\r\n`,
        );
        seen.push(/\/\d(?= HTTP)/.exec((await client.reply())?.body ?? '')?.[0]);
      }
      return seen.join(' ');
    },
  },
];

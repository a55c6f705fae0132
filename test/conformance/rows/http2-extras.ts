import { connect as connectTls } from 'node:tls';
import { dial } from '../client.ts';
import { framesOn, TEXT } from '../frames.ts';
import { ask2, openHttp2 } from '../http2-client.ts';
import type { Check } from '../row.ts';
import { accept, handshake } from '../web-sockets.ts';

export const http2Extras: Check[] = [
  {
    id: 'h2-trailers',
    says: 'trailers reach the client',
    expected: 'body, 1',
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
    id: 'early-hints',
    says: '103 Early Hints reach a client of HTTP/2, where their links need no rewriting',
    expected: {
      path: '200 after none',
      'path-kept': '200 after </a.css>; rel=preload',
      host: '200 after </a.css>; rel=preload',
    },
    limits: [
      {
        on: { line: 'stable' },
        sees: 'failed: Stream closed with error code NGHTTP2_INTERNAL_ERROR',
        because: 'nginx before 1.29 takes an interim answer for the answer, which the router then refuses',
      },
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
    id: 'h2-location',
    says: 'redirects lead to https',
    expected: { path: 'https://<host>/p/<A>/x', 'path-kept': 'https://<host>/x', host: 'https://<host>/x' },
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
    id: 'h2-no-extended-connect',
    says: 'WebSocket over HTTP/2 is not offered, so browsers open HTTP/1.1 beside it',
    expected: 'not offered',
    see: async (c) => {
      const session = await c.session(undefined, 'tls');
      const connection = await openHttp2(c, session);
      await c.until(() => connection.remoteSettings !== undefined);
      return connection.remoteSettings.enableConnectProtocol ? 'offered' : 'not offered';
    },
  },
  {
    id: 'wss',
    says: 'a WebSocket over TLS, beside HTTP/2 on the same port',
    expected: '1:hello, https',
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
    id: 'tls-http1',
    says: 'HTTP/1.1 over TLS',
    expected: 'GET <base>/x HTTP/1.1',
    see: async (c) => (await (await c.session(undefined, 'tls')).get('/x')).body,
  },
  {
    id: 'tls-old',
    says: 'TLS below 1.2 is refused',
    expected: 'refused',
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
    id: 'http-to-https',
    says: 'plain HTTP to the port of TLS is led to https',
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
];

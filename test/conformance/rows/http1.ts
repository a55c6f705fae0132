import type { Check } from '../row.ts';

export const http1: Check[] = [
  {
    id: 'http10',
    says: 'HTTP/1.0 is served, and its app still gets HTTP/1.1',
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
    id: 'http10-no-host',
    says: 'HTTP/1.0 without Host: the path is enough where sessions share a host',
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
    id: 'http10-chunked',
    says: 'an HTTP/1.0 client gets no chunks',
    expected: 'hello, not chunked',
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
    id: 'http10-keep-alive',
    says: 'its keep-alive works',
    expected: '/1 /2',
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
  {
    id: 'http09',
    says: 'HTTP/0.9, a target and nothing else, reaches nobody',
    expected: 'nobody',
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
];

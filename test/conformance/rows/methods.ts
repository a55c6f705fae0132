import { plain } from '../app.ts';
import type { Check } from '../row.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'REPORT', 'SPAWN'];

export const methods: Check[] = [
  {
    id: 'methods',
    says: 'every method arrives, with its body, known to nginx or not',
    expected: METHODS.map((method) => `${method} <base>/x HTTP/1.1 5`).join(', '),
    see: async (c) => {
      const seen: string[] = [];
      const session = await c.session(async (visit) => {
        seen.push(`${visit.line} ${(await visit.body()).length}`);
        visit.end(plain(''));
      });
      for (const method of METHODS) {
        const client = session.dial();
        client.send(`${session.head('/x', ['Content-Length: 5'], method)}hello`);
        await client.reply();
      }
      return seen.join(', ');
    },
  },
  {
    id: 'head',
    says: 'the answer to HEAD has the length, and no body',
    expected: '200 17 ""',
    see: async (c) => {
      const session = await c.session((visit) => visit.end('HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n'));
      const client = session.dial();
      client.send(session.head('/x', [], 'HEAD'));
      const reply = await client.reply('HEAD');
      return `${reply?.status} ${reply?.header('content-length')} ${JSON.stringify(await client.bytes.rest())}`;
    },
  },
  {
    id: 'no-proxy',
    says: 'CONNECT and TRACE are refused',
    expected: 'CONNECT nobody, TRACE nobody 405',
    see: async (c) => {
      const session = await c.session();
      const seen = [];
      for (const [method, target] of [
        ['CONNECT', `${session.address}`],
        ['TRACE', session.target('/')],
      ] as const) {
        const client = session.dial();
        client.send(`${method} ${target} HTTP/1.1\r\nHost: ${session.host}\r\nConnection: close\r\n\r\n`);
        const reply = await client.reply();
        const who = session.visits.length === 0 ? 'nobody' : 'A';
        // nginx 1.26 says 405 to CONNECT, and 1.30 says 400.
        seen.push(method === 'TRACE' ? `${method} ${who} ${reply?.status}` : `${method} ${who}`);
      }
      return seen.join(', ');
    },
  },
];

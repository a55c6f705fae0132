import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check } from '../row.ts';

/** Addresses that no route may have, whatever ranges are allowed; and some that this router's ranges do not allow. */
const REFUSED_ADDRESSES = [
  '169.254.169.254:80',
  '169.254.0.1:80',
  '100.100.100.200:80',
  '0.0.0.0:80',
  '224.0.0.1:80',
  '255.255.255.255:80',
  '10.0.0.1:80',
  '[fe80::1]:80',
  '[ff02::1]:80',
  '[::]:80',
  '[::ffff:7f00:1]:80',
  '[fd00:ec2::254]:80',
];

const NO_ADDRESSES = [
  'spawner_pool',
  'localhost:80',
  'unix:/tmp/x',
  '127.0.0.1',
  '127.1:80',
  '127.0.0.1:0',
  '0x7f.0.0.1:80',
  '127.0.0.1:80/x',
];

export const inner: Check[] = [
  {
    id: 'admin-api',
    says: 'the admin API is not at the public address',
    expected: '/v1/health no, /v1/routes no, /healthz no',
    see: async (c) => {
      const session = await c.session((visit) =>
        visit.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\napp'),
      );
      const seen = [];
      for (const path of ['/v1/health', '/v1/routes', '/healthz']) {
        const client = session.dial();
        client.send(session.head(path).replace(session.target(path), path));
        const { body = '' } = (await client.reply()) ?? {};
        seen.push(`${path} ${/bootId|status/.test(body) ? 'yes' : 'no'}`);
      }
      return seen.join(', ');
    },
  },
  {
    id: 'internal-places',
    says: 'the router’s internal places can’t be asked for',
    expected: 'nobody, 404',
    see: async (c) => {
      const session = await c.session();
      const config = await readFile(join(session.router.directory, 'spawner-server.conf'), 'utf8');
      const places = [...config.matchAll(/location = (\S+) \{\s*internal;/g)].map(([, path = '']) => path);
      const statuses = new Set<number | undefined>();
      for (const path of places) {
        const client = session.dial();
        client.send(session.head(path).replace(session.target(path), path));
        statuses.add((await client.reply())?.status);
      }
      return `${session.visits.length === 0 ? 'nobody' : 'A'}, ${[...statuses].join(' and ')}`;
    },
  },
  {
    id: 'addresses-refused',
    says: 'routes to link-local, metadata and unspecified addresses, multicast or outside the ranges are not taken',
    expected: `refused: ${REFUSED_ADDRESSES.length} of ${REFUSED_ADDRESSES.length}; another of the batch is served`,
    see: async (c) => {
      const session = await c.session();
      const ids = REFUSED_ADDRESSES.map((_, index) => `${session.id.slice(2)}${10 + index}`);
      const routes = ids.map((id, index) => [id, { state: 'ready', address: REFUSED_ADDRESSES[index] }]);
      const put = {
        ...Object.fromEntries(routes),
        [session.id]: { state: 'ready', address: session.address },
      };
      const { admin } = session.router;
      const { body } = await admin.call('POST', '/v1/routes', { generation: 1_000_000, put });
      const taken = ids
        .filter((id) => !body.refused.includes(id))
        .map((id) => REFUSED_ADDRESSES[ids.indexOf(id)]);
      const served = (await session.get('/')).status === 200 ? 'is served' : 'is not';
      return `refused: ${body.refused.length} of ${ids.length}${taken.join(', ')}; another of the batch ${served}`;
    },
  },
  {
    id: 'no-addresses',
    says: 'what is no `ip:port` to the letter, such as the name of an upstream, is no route',
    expected: NO_ADDRESSES.map((address) => `${address} 400`).join(', '),
    see: async (c) => {
      const { admin } = await c.router();
      const seen = [];
      for (const address of NO_ADDRESSES) {
        const put = { ['n'.repeat(26)]: { state: 'ready', address } };
        const { status } = await admin.call('POST', '/v1/routes', { generation: 1, put });
        seen.push(`${address} ${status}`);
      }
      return seen.join(', ');
    },
  },
  {
    id: 'ids-in-logs',
    says: 'no whole id gets into the router’s log, whatever fails',
    expected: 'a line about it, without the id',
    see: async (c) => {
      const session = await c.session((visit) => void visit.socket.resetAndDestroy(), 'trusting');
      await session.get('/');
      await session.get('/%00');
      await session.get(`/${'x'.repeat(50_000)}`);
      await session.put('ready', '127.0.0.1:9');
      await session.get('/');
      const leaver = session.dial();
      leaver.send(session.head('/', ['Content-Length: 10'], 'POST'));
      leaver.close();
      const start = session.id.slice(0, 4);
      await c.until(async () => (await session.router.errorLog()).includes(start));
      const lines = (await session.router.errorLog()).split('\n').filter((line) => line.includes(start));
      return lines.some((line) => line.includes(session.id))
        ? lines.join()
        : 'a line about it, without the id';
    },
  },
];

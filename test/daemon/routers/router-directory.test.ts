import { isDeepStrictEqual } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import pino from 'pino';
import { connect } from '../../../daemon/kubernetes/connection.ts';
import {
  createRouterDirectory,
  type FoundRouter,
  routersOf,
} from '../../../daemon/routers/router-directory.ts';
import { until } from '../../support/poll.ts';
import { collectionApi } from './collection-api.ts';

const admin = { name: 'admin', port: 9145 };
const addressOf = (ip: string) => ({ ip, targetRef: { kind: 'Pod', name: `pod-${ip}` } });
const routersAt = (...ips: string[]) => ({ subsets: [{ addresses: ips.map(addressOf), ports: [admin] }] });
const found = (ip: string) => ({ address: `http://${ip}:9145`, pod: `pod-${ip}` });

test('routers: at the port named admin, Ready or not, IPv6 too, sorted, each once, with their Pods', (t) => {
  t.deepEqual(routersOf({}), []);
  t.deepEqual(routersOf({ subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 9145 }] }] }), []);
  t.deepEqual(
    routersOf({
      subsets: [
        { addresses: [addressOf('10.0.0.9')], ports: [{ name: 'public', port: 8000 }, admin] },
        { notReadyAddresses: [addressOf('10.0.0.10'), { ip: 'fd00::7' }], ports: [admin] },
        { addresses: [addressOf('10.0.0.9')], notReadyAddresses: [addressOf('10.0.0.1')], ports: [admin] },
        { addresses: [addressOf('10.0.0.3')], ports: [{ name: 'public', port: 8000 }] },
      ],
    }),
    [
      found('10.0.0.10'),
      found('10.0.0.1'),
      found('10.0.0.9'),
      { address: 'http://[fd00::7]:9145', pod: undefined },
    ],
  );
});

async function world(t: ExecutionContext) {
  const api = await collectionApi(t, 'endpoints', 'spawner');
  const tellings: FoundRouter[][] = [];
  const logged: { msg: string; service?: string }[] = [];
  const directory = createRouterDirectory({
    ...connect(api.kubeConfig, () => {}),
    service: { name: 'routers', namespace: 'spawner' },
    found: (routers) => tellings.push(routers),
    log: pino({}, { write: (line: string) => logged.push(JSON.parse(line)) }),
  });
  t.teardown(() => {
    directory.close();
    if (!t.passed) t.log(logged, api.requests);
  });
  const latest = (...ips: string[]) => {
    const expected = ips.map(found);
    return until(`${ips} to be found`, () => isDeepStrictEqual(tellings.at(-1), expected));
  };
  return { api, tellings, logged, directory, latest };
}

test('every change is told, once', async (t) => {
  const { api, tellings, logged, directory, latest } = await world(t);
  api.set('routers', routersAt('10.0.0.1'));
  await directory.start();
  t.deepEqual(tellings, [[found('10.0.0.1')]]);
  await until('the watch', () => api.requests.some((request) => request.includes('watch=true')));
  api.set('routers', routersAt('10.0.0.2', '10.0.0.1'));
  await latest('10.0.0.1', '10.0.0.2');
  api.set('routers', routersAt('10.0.0.1', '10.0.0.2')); // the same
  api.set('routers', { subsets: [{ notReadyAddresses: [addressOf('10.0.0.2')], ports: [admin] }] });
  await latest('10.0.0.2');
  api.set('routers', { subsets: [] });
  await until('none to be left', () => tellings.at(-1)?.length === 0);
  t.is(tellings.length, 4);
  t.deepEqual(logged, []);
});

test('what was found holds while the object or the API is away', async (t) => {
  const { api, tellings, logged, directory, latest } = await world(t);
  api.set('routers', routersAt('10.0.0.1'));
  await directory.start();
  await until('the watch', () => api.requests.some((request) => request.includes('watch=true')));
  api.set('routers', 'deleted');
  await until('that to be logged', () => logged.some(({ msg }) => msg === 'router service not found'));
  api.set('routers', routersAt('10.0.0.2'));
  await latest('10.0.0.2');
  api.away();
  await until('that to be logged', () => logged.some(({ msg }) => msg === 'watch broke'));
  api.set('routers', routersAt('10.0.0.3'));
  api.back();
  await latest('10.0.0.3');
  t.is(tellings.length, 3, 'never none in between');
});

test('it has not started before the API has answered', async (t) => {
  const { api, tellings, directory } = await world(t);
  api.set('routers', routersAt('10.0.0.1'));
  api.away();
  const started = directory.start();
  await until('a second try', () => api.requests.length >= 2);
  t.deepEqual(tellings, []);
  api.back();
  await started;
  t.deepEqual(tellings, [[found('10.0.0.1')]]);
});

test('a Service that is not there has no routers, and the log names it', async (t) => {
  const { api, tellings, logged, directory, latest } = await world(t);
  await directory.start();
  t.deepEqual(tellings, [[]]);
  t.deepEqual(
    logged.map(({ msg, service }) => ({ msg, service })),
    [{ msg: 'router service not found', service: 'routers.spawner' }],
  );
  await until('the watch', () => api.requests.some((request) => request.includes('watch=true')));
  api.set('routers', routersAt('10.0.0.1'));
  await latest('10.0.0.1');
});

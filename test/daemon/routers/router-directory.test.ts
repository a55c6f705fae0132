import test, { type ExecutionContext } from 'ava';
import pino from 'pino';
import { addressesOf, createRouterDirectory } from '../../../daemon/routers/router-directory.ts';
import { connect } from '../../../daemon/runtime/kubernetes/connection.ts';
import { until } from '../../support/poll.ts';
import { endpointsApi } from './endpoints-api.ts';

const admin = { name: 'admin', port: 9145 };
const subset = (...ips: string[]) => [{ addresses: ips.map((ip) => ({ ip })), ports: [admin] }];

test('addresses: of the port named admin, Ready or not, IPv6 too, sorted, each once', (t) => {
  t.deepEqual(addressesOf({}), []);
  t.deepEqual(addressesOf({ subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 9145 }] }] }), []);
  t.deepEqual(
    addressesOf({
      subsets: [
        { addresses: [{ ip: '10.0.0.9' }], ports: [{ name: 'public', port: 8000 }, admin] },
        { notReadyAddresses: [{ ip: '10.0.0.10' }, { ip: 'fd00::7' }], ports: [admin] },
        { addresses: [{ ip: '10.0.0.9' }], notReadyAddresses: [{ ip: '10.0.0.1' }], ports: [admin] },
        { addresses: [{ ip: '10.0.0.3' }], ports: [{ name: 'public', port: 8000 }] },
      ],
    }),
    ['http://10.0.0.10:9145', 'http://10.0.0.1:9145', 'http://10.0.0.9:9145', 'http://[fd00::7]:9145'].sort(),
  );
});

async function world(t: ExecutionContext) {
  const api = await endpointsApi(t, 'routers', 'spawner');
  const found: string[][] = [];
  const logged: { msg: string; service?: string }[] = [];
  const directory = createRouterDirectory({
    ...connect(api.kubeConfig, () => {}),
    service: { name: 'routers', namespace: 'spawner' },
    found: (addresses) => found.push(addresses),
    log: pino({}, { write: (line: string) => logged.push(JSON.parse(line)) }),
  });
  t.teardown(() => {
    directory.close();
    if (!t.passed) t.log(logged, api.requests);
  });
  const latest = (...ips: string[]) => {
    const expected = ips.map((ip) => `http://${ip}:9145`).join();
    return until(`${ips} to be found`, () => found.length > 0 && found.at(-1)?.join() === expected);
  };
  return { api, found, logged, directory, latest };
}

test('every change is told, once', async (t) => {
  const { api, found, logged, directory, latest } = await world(t);
  api.set(subset('10.0.0.1'));
  await directory.start();
  t.deepEqual(found, [['http://10.0.0.1:9145']]);
  await until('the watch', () => api.requests.some((request) => request.includes('watch=true')));
  api.set(subset('10.0.0.2', '10.0.0.1'));
  await latest('10.0.0.1', '10.0.0.2');
  api.set(subset('10.0.0.1', '10.0.0.2')); // the same
  api.set([{ notReadyAddresses: [{ ip: '10.0.0.2' }], ports: [admin] }]);
  await latest('10.0.0.2');
  api.set([]);
  await until('none to be left', () => found.at(-1)?.length === 0);
  t.is(found.length, 4);
  t.deepEqual(logged, []);
});

test('what was found holds while the object or the API is away', async (t) => {
  const { api, found, logged, directory, latest } = await world(t);
  api.set(subset('10.0.0.1'));
  await directory.start();
  await until('the watch', () => api.requests.some((request) => request.includes('watch=true')));
  api.set('deleted');
  await until('that to be logged', () => logged.some(({ msg }) => msg === 'router service not found'));
  api.set(subset('10.0.0.2'));
  await latest('10.0.0.2');
  api.away();
  await until('that to be logged', () => logged.some(({ msg }) => msg === 'watch broke'));
  api.set(subset('10.0.0.3'));
  api.back();
  await latest('10.0.0.3');
  t.is(found.length, 3, 'never none in between');
});

test('it has not started before the API has answered', async (t) => {
  const { api, found, directory } = await world(t);
  api.set(subset('10.0.0.1'));
  api.away();
  const started = directory.start();
  await until('a second try', () => api.requests.length >= 2);
  t.deepEqual(found, []);
  api.back();
  await started;
  t.deepEqual(found, [['http://10.0.0.1:9145']]);
});

test('a Service that is not there has no routers, and the log names it', async (t) => {
  const { api, found, logged, directory, latest } = await world(t);
  await directory.start();
  t.deepEqual(found, [[]]);
  t.deepEqual(
    logged.map(({ msg, service }) => ({ msg, service })),
    [{ msg: 'router service not found', service: 'routers.spawner' }],
  );
  await until('the watch', () => api.requests.some((request) => request.includes('watch=true')));
  api.set(subset('10.0.0.1'));
  await latest('10.0.0.1');
});

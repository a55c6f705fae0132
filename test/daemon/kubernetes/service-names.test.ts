import test from 'ava';
import { connect } from '../../../daemon/kubernetes/connection.ts';
import { serviceNames } from '../../../daemon/kubernetes/service-names.ts';
import { collectionApi } from '../routers/collection-api.ts';

test('a server that knows no tables is told of in one line', async (t) => {
  const { kubeConfig, set } = await collectionApi(t, 'services', 'sessions');
  set('one', {});
  const { api } = connect(kubeConfig, () => {});
  await t.throwsAsync(serviceNames(api, 'sessions', 'spawner/session'), {
    message: 'asked for a table of Services, the API server answered something else',
  });
});

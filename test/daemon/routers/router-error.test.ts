import test from 'ava';
import { RouterError } from '../../../daemon/routers/router-client.ts';

test('what is wrong with a router is told without whole session ids, on one line', (t) => {
  const id = 'k3vx'.padEnd(26, '0');
  t.is(
    new RouterError(`answered 400: "put"."${id}"\nis wrong`, false).message,
    'answered 400: "put"."k3vx…"?is wrong',
  );
});

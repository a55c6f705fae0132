import test from 'ava';
import { createAddresses } from '../../daemon/addresses.ts';

test('an address is free for another session once nobody is led there for the first', (t) => {
  const led = new Set(['a', 'b']);
  const addresses = createAddresses((id) => led.has(id));
  t.is(addresses.otherUser('a', '10.0.0.1:80'), undefined);
  addresses.use('a', '10.0.0.1:80');
  t.is(addresses.otherUser('a', '10.0.0.1:80'), undefined, 'its own');
  t.is(addresses.otherUser('b', '10.0.0.1:80'), 'a');
  t.is(addresses.otherUser('b', '10.0.0.2:80'), undefined);
  led.delete('a');
  t.is(addresses.otherUser('b', '10.0.0.1:80'), undefined);
  addresses.use('b', '10.0.0.1:80');
  t.is(addresses.otherUser('a', '10.0.0.1:80'), 'b');
});

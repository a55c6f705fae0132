import test from 'ava';
import { createMetrics } from '../../daemon/metrics.ts';
import type { RouterStatus } from '../../daemon/routers/routers.ts';

const zone = { bytes: 8, freeBytes: 4 };

function live(address: string): RouterStatus {
  const health = {
    bootId: 'boot',
    filled: true,
    mode: 'path' as const,
    generation: 1,
    zones: { routes: zone, activity: zone },
  };
  return { address, state: 'live', health, problem: undefined };
}

test('a router that went is shown no more', async (t) => {
  let routers = [live('http://10.0.0.1:9145'), live('http://10.0.0.2:9145')];
  const metrics = createMetrics({
    sessionsByState: () => ({ starting: 0, ready: 0, draining: 0, gone: 0, failed: 0 }),
    routers: () => routers,
  });
  const lines = async (text: string) =>
    (await metrics.read()).text.split('\n').filter((line) => line.includes(text));
  for (const { address } of routers) {
    metrics.routerFilled(0.1);
    t.is((await lines(address)).length, 5, 'up, and bytes and free bytes of two zones');
  }
  routers = [live('http://10.0.0.2:9145')];
  t.deepEqual(await lines('http://10.0.0.1:9145'), []);
  t.is((await lines('http://10.0.0.2:9145')).length, 5);
});

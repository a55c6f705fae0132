import { closedAddress } from '../support/backend.ts';
import { insertBefore } from '../support/bundle.ts';
import { ask } from '../support/http.ts';
import { until } from '../support/poll.ts';
import { startRawBackend } from '../support/raw-backend.ts';
import { getRaw, sendRaw } from '../support/raw-http.ts';
import { idOf, testOnEachStack } from '../support/stacks.ts';

const A = 'abcdefghijklmnopqrstuvwxyz';

testOnEachStack(
  'a backend that fails is told in one line, which opens nothing',
  {},
  async (t, { router }) => {
    const address = await closedAddress();
    await router.admin.put(A, 'ready', address);
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => ask(router.publicSocket, `/p/${A}/x`)),
    );
    const codes = answers.map(({ body }) => JSON.parse(body).error);
    t.true(codes.every(({ code }) => code === 'bad_gateway'));

    const counted = () => linesOf(router.errorLog());
    await until(
      'every failure to be told',
      async () => (await counted()).reduce((sum, { count }) => sum + count, 0) === 30,
    );
    const lines = await counted();
    t.true(lines.length < 10, 'a line a second, not a line a request');
    for (const { text } of lines) {
      t.true(text.includes(`bad_gateway: session abcd… at ${address}`), text);
      const requestId = /\(request ([0-9a-f]{32})\)/.exec(text)?.[1];
      t.true(codes.some((error) => error.requestId === requestId));
    }
  },
);

testOnEachStack('many failures at once do not flood the log', {}, async (t, { router }) => {
  const address = await closedAddress();
  const ids = Array.from({ length: 60 }, (_, index) => `${String(index).padStart(3, '0')}x`.padEnd(26, 'z'));
  const put = Object.fromEntries(ids.map((id) => [id, { state: 'ready', address }]));
  await router.admin.call('POST', '/v1/routes', { generation: 1, put });
  await Promise.all(ids.map((id) => ask(router.publicSocket, `/p/${id}/`)));
  await until('every failure to be told', async () => {
    const lines = await linesOf(router.errorLog());
    return lines.reduce((sum, { count }) => sum + count, 0) === ids.length;
  });
  t.is((await router.admin.put(A, 'starting')).status, 200, 'the lock has its room');
});

testOnEachStack('no id is in the log, whatever goes wrong', {}, async (t, { router, backend }) => {
  const app = await backend('A');
  const cut = await startRawBackend('cut');
  t.teardown(() => cut.stop());
  const broken = idOf('b');
  await router.admin.put(A, 'ready', app.address);
  await router.admin.put(broken, 'ready', await closedAddress());
  for (const id of [A, broken]) {
    await ask(router.publicSocket, `/p/${id}/`);
    await getRaw(router.publicSocket, `/p/${id}/../x`);
    await getRaw(router.publicSocket, `/p/${id}/%00`);
    await getRaw(router.publicSocket, `/p/${id}/`, `X: ${'x'.repeat(50_000)}\r\n`);
    await getRaw(router.publicSocket, `/p/${id}/${'x'.repeat(50_000)}`);
    await getRaw(router.publicSocket, `/p/${id}/`, 'Host: again\r\n');
    await sendRaw(
      router.publicSocket,
      `POST /p/${id}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nnonsense\r\n`,
    );
  }
  await until('a line', async () => (await linesOf(router.errorLog())).length > 0);
  const log = await router.errorLog();
  t.false(log.includes(A) || log.includes(broken), log);
});

testOnEachStack('what a handler throws is told, and answered', {}, async (t, { router }) => {
  await router.admin.put(A, 'draining', '127.0.0.1:1');
  await insertBefore(router, 'return verdictOnRoute(', `throw new Error('boom /p/' + facts.id + '/');`);
  const answer = await ask(router.publicSocket, `/p/${A}/`, { method: 'OPTIONS' });
  t.deepEqual([answer.status, JSON.parse(answer.body).error.code], [500, 'router_error']);
  await until('the line', async () =>
    /spawner: answer failed: boom \/p\/abcd…\//.test(await router.errorLog()),
  );
  t.pass();
});

async function linesOf(log: Promise<string>): Promise<{ text: string; count: number }[]> {
  const lines = (await log).split('\n').filter((line) => line.includes('spawner: '));
  return lines.map((text) => ({ text, count: 1 + Number(/, and (\d+) more like it/.exec(text)?.[1] ?? 0) }));
}

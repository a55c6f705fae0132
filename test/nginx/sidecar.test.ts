import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { until } from '../support/poll.ts';
import { STACKS } from '../support/router.ts';
import { type Sidecar, type SidecarAnswer, startSidecar } from '../support/sidecar.ts';

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const REST = '00000000:00000000 00:00000000 00000000     0        0 1681 1 00000000f7295bbc 100 0 0 10 0\n';

interface World {
  sidecar: Sidecar;
  /** Replaces the table that the sidecar takes for /proc/net/tcp; undefined: there is none. */
  write(table: string | undefined): Promise<void>;
  see(what: string, right: (answer: SidecarAnswer) => boolean): Promise<SidecarAnswer>;
}

/** Once on each nginx line and engine, with tables that the test writes. */
function testSidecar(
  title: string,
  env: Record<string, string>,
  body: (t: ExecutionContext, world: World) => Promise<void>,
): void {
  for (const stack of STACKS) {
    test(`${title} [nginx ${stack.line}, ${stack.engine ?? 'njs'}]`, async (t) => {
      const tables = await mkdtemp(join(tmpdir(), 'spawner-tables-'));
      t.teardown(() => rm(tables, { recursive: true, force: true }));
      const write = async (table: string | undefined) => {
        await (table === undefined ? rm(join(tables, 'tcp')) : writeFile(join(tables, 'tcp'), table));
      };
      await write(HEAD);
      const sidecar = await startSidecar({ ...stack, env, replace: { '/proc/net': tables } });
      t.teardown(() => sidecar.stop());
      const see: World['see'] = (what, right) =>
        until(what, async () => {
          const answer = await sidecar.call();
          return right(answer) && answer;
        });
      try {
        await body(t, { sidecar, write, see });
      } catch (error) {
        t.log(await sidecar.errorLog());
        throw error;
      }
    });
  }
}

const app = { SPAWNER_APPLICATION_PORT: '8080' };

testSidecar(
  'tables that cannot be read are an error, and never idle',
  app,
  async (t, { sidecar, write, see }) => {
    await see('an idle app', ({ status, body }) => status === 200 && body.seconds_inactive >= 1);
    const wrong: [string | undefined, RegExp][] = [
      ['', /\/tcp: the text is not a TCP table$/],
      [`${HEAD}hello\n`, /\/tcp: the text is not a TCP table$/],
      [undefined, /\/tcp: there is no such file$/],
    ];
    for (const [table, message] of wrong) {
      await write(table);
      const { body } = await see(`an error for ${table}`, (answer) =>
        message.test(answer.body.error?.message),
      );
      t.is(body.error.code, 'status_unknown');
      t.is((await sidecar.call()).status, 503);
      t.is(body.seconds_inactive, undefined);
    }
    t.regex(await sidecar.errorLog(), /spawner: .*\/tcp: the text is not a TCP table/);

    await see('an error', ({ status }) => status === 503);
    const before = process.hrtime.bigint();
    await write(HEAD);
    const { body } = await see('an answer again', ({ status }) => status === 200);
    // Watching began anew: nothing is idle for longer than since then, but for the clock's 1/100 s.
    t.true(body.seconds_inactive <= Number(process.hrtime.bigint() - before) / 1e9 + 0.02);
  },
);

testSidecar('10,000 sockets of all states are counted', app, async (t, { write, see }) => {
  const states = ['01', '04', '05', '06', '08', '0B'];
  const lines = Array.from({ length: 10_000 }, (_, index) => {
    const from = (index + 1024).toString(16).toUpperCase().padStart(4, '0');
    return `${String(index).padStart(4)}: 0700000A:1F90 0900000A:${from} ${states[index % 6]} ${REST}`;
  });
  await write(HEAD + lines.join(''));
  const { body } = await see('them to count', (answer) => answer.body.active_connections > 1000);
  t.deepEqual(body, { active_connections: 1667, seconds_inactive: 0, listening: false });
});

testSidecar('other paths and methods are refused', app, async (t, { sidecar }) => {
  for (const [path, method, status, code] of [
    ['/', 'GET', 404, 'not_found'],
    ['/status/', 'GET', 404, 'not_found'],
    ['/status', 'POST', 405, 'method_not_allowed'],
    ['/status', 'DELETE', 405, 'method_not_allowed'],
  ] as const) {
    const answer = await sidecar.call(path, method);
    t.deepEqual([answer.status, answer.body.error.code], [status, code], `${method} ${path}`);
    t.regex(answer.body.error.requestId, /^[0-9a-f]{32}$/);
  }
});

testSidecar('when nginx ends, so does its container', app, async (t, { sidecar }) => {
  process.kill(sidecar.pids[1], 'SIGKILL');
  t.is(await sidecar.ended, 1);
});

testSidecar('told to stop, it leaves nothing running', app, async (t, { sidecar }) => {
  process.kill(sidecar.pids[0], 'SIGQUIT');
  t.is(await sidecar.ended, 0);
  await t.throwsAsync(sidecar.call());
});

testSidecar('without the port of the app nothing is known', {}, async (t, { see }) => {
  const { body } = await see('a reason', (answer) => /PORT/.test(answer.body.error?.message));
  t.is(body.error.message, 'SPAWNER_APPLICATION_PORT is "": set a whole number from 1 to 65535');
});

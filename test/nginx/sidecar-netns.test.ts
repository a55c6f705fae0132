import test, { type ExecutionContext } from 'ava';
import { type Run, startNamespace } from '../support/netns.ts';
import { until } from '../support/poll.ts';
import { STACKS } from '../support/router.ts';

const PORT = 8080;
const env = { SPAWNER_APPLICATION_PORT: String(PORT), SPAWNER_PROBE_SECONDS: '1' };

interface Watch {
  run: Run;
  /** Waits for a status with these numbers; every status on the way must be one, and count at most `active`. */
  see(what: string, active: number, secondsInactive?: number): Promise<void>;
}

/** Once on each nginx line and engine, in a network namespace of its own. */
function testInNamespace(title: string, body: (t: ExecutionContext, watch: Watch) => Promise<void>): void {
  for (const stack of STACKS) {
    test(`${title} [nginx ${stack.line}, ${stack.engine ?? 'njs'}]`, async (t) => {
      const run = await startNamespace(t);
      let most = 0;
      const see = async (what: string, active: number, secondsInactive = 0) => {
        most = Math.max(most, active);
        await until(what, async () => {
          const { status, body } = await run('status');
          t.is(status, 200);
          t.deepEqual(Object.keys(body), ['active_connections', 'seconds_inactive', 'listening']);
          t.true(body.active_connections === 0 || body.seconds_inactive === 0);
          t.true(body.active_connections <= most, `${body.active_connections} connections`);
          return body.active_connections === active && body.seconds_inactive >= secondsInactive;
        });
        most = active;
      };
      try {
        await run('sidecar', { ...stack, env });
        await until('the first sample', async () => (await run('status')).status === 200);
        await body(t, { run, see });
      } catch (error) {
        t.log(await run('errorLog').catch((reason: Error) => reason.message));
        throw error;
      }
    });
  }
}

testInNamespace('silent connections count while they are open, of every family', async (t, { run, see }) => {
  t.false((await run('status')).body.listening);
  await run('listen', '::', PORT);
  await until('the app to be seen', async () => (await run('status')).body.listening);
  const opened = performance.now();
  const six = await run('visit', 6, PORT);
  const mapped = await run('visit', 4, PORT);
  await see('both to count', 2);
  await run('close', mapped);
  await see('one to count', 1);
  await run('close', six);
  await see('none to count', 0);
  // Since it was last there, not since before it came.
  const { seconds_inactive } = (await run('status')).body;
  t.true(seconds_inactive < (performance.now() - opened) / 1000);
  await see('the time since to grow', 0, 2);
});

testInNamespace(
  'probes, other states, other ports and the Pod itself never count',
  async (t, { run, see }) => {
    await run('leaveSynSent', PORT);
    await run('listen', '0.0.0.0', PORT);
    await run('listen', '0.0.0.0', PORT + 1);
    await run('visit', 4, PORT + 1);
    await run('visitFromWithin', PORT);
    await run('leaveOtherStates', PORT);
    await run('probe', PORT);
    await until('SYN_SENT, TIME_WAIT and CLOSE_WAIT', async () => {
      const states = await run('states', PORT);
      return ['02', '06', '08'].every((state) => states.includes(state));
    });
    // By the time that a younger connection counts, all of these would.
    const visitor = await run('visit', 4, PORT);
    await see('the visitor to count', 1);
    await run('close', visitor);
    await see('the time since to grow', 0, 2);
    const states = await run('states', PORT);
    t.true(['02', '06', '08'].every((state) => states.includes(state)));
  },
);

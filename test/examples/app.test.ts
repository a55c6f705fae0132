import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import type { Status } from '../../examples/app/activity.ts';

const main = join(import.meta.dirname, '..', '..', 'examples', 'app', 'main.ts');

test('the page, the session and the status are served, and unknown paths are not', async (t) => {
  const { url, pid } = await startApp(t);
  const page = await fetch(`${url}/?from=a-friend`);
  t.is(page.headers.get('content-type'), 'text/html; charset=utf-8');
  t.notRegex(await page.text(), /(?:href|src)="\//, 'absolute URLs leave the session');
  t.deepEqual(await (await fetch(`${url}/session`)).json(), { session: 'mine', pid, count: 0 });
  t.is((await fetch(`${url}//`)).status, 404);
});

test('everyone connected sees the counter, and counts as active until they leave', async (t) => {
  const { url, pid } = await startApp(t);
  const [first, second] = [await connect(t, url), await connect(t, url)];
  await first.until((state) => state.visitors === 2);
  second.socket.send('add');
  t.deepEqual(await first.until((state) => state.count === 1), {
    session: 'mine',
    pid,
    count: 1,
    visitors: 2,
  });

  t.is((await status(url)).active_connections, 2);
  first.socket.close();
  await second.until((state) => state.visitors === 1);
  t.deepEqual(await status(url), { active_connections: 1, seconds_inactive: 0, listening: true });
});

test('status polls are no activity', async (t) => {
  const { url } = await startApp(t);
  t.is((await status(url)).active_connections, 0);
  t.is((await status(url)).active_connections, 0);
});

test('SIGTERM ends the app and its connections', async (t) => {
  const { url, child } = await startApp(t);
  const { socket } = await connect(t, url);
  const closed = once(socket, 'close');
  child.kill('SIGTERM');
  t.deepEqual(await once(child, 'exit'), [0, null]);
  t.is((await closed)[0], 1001);
});

async function startApp(t: ExecutionContext) {
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH, PORT: '0', SPAWNER_SESSION_ID: 'mine' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, pid: child.pid, url: `http://${/\S+$/.exec(line)}` };
}

async function status(url: string): Promise<Status> {
  return (await fetch(`${url}/status`)).json() as Promise<Status>;
}

/** Connects, and keeps what the app says so that a test can wait for a state. */
async function connect(t: ExecutionContext, url: string) {
  const socket = new WebSocket(`${url}/live`.replace('http', 'ws'));
  t.teardown(() => socket.terminate());
  const states: Record<string, unknown>[] = [];
  socket.on('message', (data) => states.push(JSON.parse(data.toString())));
  await once(socket, 'open');
  return {
    socket,
    until: async (wanted: (state: Record<string, unknown>) => boolean) => {
      for (;;) {
        const found = states.find(wanted);
        if (found) return found;
        await once(socket, 'message');
      }
    },
  };
}

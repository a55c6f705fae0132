import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { sessionEnvironment } from '../../../daemon/runtime/process/environment.ts';
import { lastLines, trim } from '../../../daemon/runtime/process/output.ts';
import { createPorts } from '../../../daemon/runtime/process/ports.ts';
import { isFree, listeningAddress } from '../../../daemon/runtime/process/probe.ts';
import { identify, isAlive } from '../../../daemon/runtime/process/proc.ts';
import { openRecords } from '../../../daemon/runtime/process/records.ts';
import { membersOf } from '../../../daemon/runtime/process/stop.ts';
import { isReservedName } from '../../../daemon/runtime/session-environment.ts';

async function scratch(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'spawner-runtime-'));
  t.teardown(() => rm(dir, { recursive: true }));
  return dir;
}

test('a session inherits what is not about Spawner or npm, then its own env, then its place', (t) => {
  const inherited = {
    PATH: '/bin',
    SPAWNER_API_TOKEN: 'secret',
    npm_config_registry: 'x',
    INIT_CWD: '/y',
    PORT: '1',
    LANG: 'C',
  };
  const env = sessionEnvironment(
    inherited,
    { id: 'abc', env: { LANG: 'de', A: '1' } },
    { port: 7, publicUrl: { form: 'path', scheme: 'http', host: 'h' } },
  );
  t.deepEqual(env, {
    PATH: '/bin',
    LANG: 'de',
    A: '1',
    PORT: '7',
    HOST: '127.0.0.1',
    SPAWNER_SESSION_ID: 'abc',
    SPAWNER_BASE_PATH: '/p/abc/',
    SPAWNER_PUBLIC_URL: 'http://h/p/abc/',
  });
  t.true(['PORT', 'HOST', 'SPAWNER_', 'SPAWNER_X'].every(isReservedName));
  t.false(['PORTS', 'MY_PORT', 'HOSTNAME', 'spawner_x'].some(isReservedName));
});

const any = () => true;

test('the port that rested longest is handed out', async (t) => {
  const ports = createPorts(1, 3);
  const free = async () => true;
  t.is(await ports.take(any, free), 1);
  ports.free(1);
  t.is(await ports.take(any, free), 2);
  t.is(await ports.take(any, free), 3);
  t.is(await ports.take(any, free), 1);
  t.is(await ports.take(any, free), undefined);
  ports.free(3);
  ports.free(2);
  t.is(await ports.take(any, free), 3);
  t.is(await ports.take(any, free), 2);
});

test('a wanted port goes before others, and others before none', async (t) => {
  const ports = createPorts(1, 4);
  const even = (port: number) => port % 2 === 0;
  const taken: unknown[] = [];
  for (let i = 0; i < 5; i++) taken.push(await ports.take(even, async () => true));
  t.deepEqual(taken, [2, 4, 1, 3, undefined]);
});

test('ports of strangers, of adopted sessions and of other ranges are passed over', async (t) => {
  const ports = createPorts(1, 4);
  ports.hold(1);
  ports.hold(9);
  ports.free(9);
  t.is(await ports.take(any, async (port) => port !== 2), 3);
  const both = await Promise.all([ports.take(any, async () => true), ports.take(any, async () => true)]);
  t.deepEqual(both.sort(), [2, 4], 'two at once get two');
});

test('probes see who listens on either loopback address, and who only holds the port', async (t) => {
  for (const [host, expected] of [
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['::1', '[::1]'],
  ]) {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, host, () => resolve((server.address() as { port: number }).port));
    });
    t.is(await listeningAddress(port), `${expected}:${port}`);
    t.false(await isFree(port), host);
    await new Promise((resolve) => server.close(resolve));
    t.is(await listeningAddress(port), undefined);
    t.true(await isFree(port));
  }
});

test('output: the last lines, and a file that grows too long is cut to its end', async (t) => {
  const file = path.join(await scratch(t), 'out.log');
  t.deepEqual(await lastLines(file), []);
  await trim(file);
  const lines = Array.from({ length: 50_000 }, (_, index) => `line number ${index} with some words in it`);
  await writeFile(file, `${lines.join('\n')}\n`);
  await trim(file);
  t.true((await stat(file)).size <= 64 * 1024);
  await appendFile(file, 'the very last\n');
  const shown = await lastLines(file);
  t.is(shown.length, 20);
  t.deepEqual(shown.slice(-2), [lines.at(-1), 'the very last']);
});

test('records survive their writer, half-written ones never count, and a broken one is named', async (t) => {
  const dir = await scratch(t);
  const record = {
    id: 'abc',
    createdAt: 5,
    labels: { a: 'b' },
    idempotency: null,
    tokenEpoch: 3,
    port: 7,
    deleted: false,
    process: { pid: 1, startTicks: 2, bootId: 'x' },
  };
  await (await openRecords(dir)).write(record);
  await writeFile(path.join(dir, 'def.json.tmp'), '{"id":"de');
  const records = await openRecords(dir);
  t.deepEqual(await records.readAll(), [record]);
  t.deepEqual(await readdir(dir), ['abc.json']);
  t.is((await stat(path.join(dir, 'abc.json'))).mode & 0o077, 0, 'nobody else may read it');
  await records.remove('abc');
  t.deepEqual(await readdir(dir), []);

  await writeFile(path.join(dir, 'ghi.json'), '{"id":"ghi"}');
  await t.throwsAsync(records.readAll(), {
    message: /ghi\.json is no record of a session: .*remove the file/,
  });
  t.is(await readFile(path.join(dir, 'ghi.json'), 'utf8'), '{"id":"ghi"}', 'nothing is lost');
});

test('a process is known by more than its pid', async (t) => {
  const self = await identify(process.pid);
  t.truthy(self);
  if (!self) return;
  t.true(await isAlive(self));
  t.false(await isAlive({ ...self, startTicks: self.startTicks + 1 }));
  t.false(await isAlive({ ...self, bootId: 'another boot' }));
});

test('a session is its group, also after its leader crashed, and all that carry its id; never a stranger', (t) => {
  const none = { session: 1, spawnerSession: undefined };
  const processes = [
    { ...none, pid: 50, group: 50, session: 50, startTicks: 500, spawnerSession: 'mine' },
    { ...none, pid: 51, group: 50, session: 50, startTicks: 510 },
    { ...none, pid: 60, group: 60, session: 60, startTicks: 520, spawnerSession: 'mine' },
    { ...none, pid: 70, group: 70, session: 70, startTicks: 530, spawnerSession: 'other' },
    { ...none, pid: 71, group: 50, session: 1, startTicks: 540 },
  ];
  const leader = { pid: 50, startTicks: 500 };
  t.deepEqual(membersOf('mine', leader, processes), [50, 51, 60]);
  t.deepEqual(membersOf('mine', leader, processes.slice(1)), [51, 60], 'without its leader');
  t.deepEqual(
    membersOf('mine', { pid: 50, startTicks: 400 }, processes),
    [50, 60],
    "the number is another one's by now",
  );
  t.deepEqual(membersOf('mine', undefined, processes), [50, 60]);
});

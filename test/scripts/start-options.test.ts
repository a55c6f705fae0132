import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { daemonOptions } from '../../daemon/options.ts';
import { overlap } from '../../scripts/start-checks.ts';
import { parseStart, reachable } from '../../scripts/start-options.ts';
import { reservePorts } from '../support/ports.ts';

const place = { router: 'unix:/a', stateDir: '/s' };
const script = join(import.meta.dirname, '..', '..', 'scripts', 'start.ts');
const run = (...flags: string[]) => spawnSync(process.execPath, [script, ...flags], { encoding: 'utf8' });

test('without flags, the example app is run on loopback', (t) => {
  const { publicListen, routesZoneSize, routerWorkers, daemonFlags } = parseStart([], place);
  t.deepEqual(publicListen, { host: '127.0.0.1', port: 8000 });
  t.deepEqual([routesZoneSize, routerWorkers], ['8m', 'auto']);
  const [router, app, ...others] = daemonFlags;
  t.is(router, '--router=unix:/a');
  t.regex(app ?? '', /^--application-command=exec '.*' '.*\/examples\/app\/main\.ts'$/);
  t.deepEqual(others, ['--public-url=http://127.0.0.1:8000', '--state-dir=/s']);
});

test('the daemon is given the flags that were given, as they were written', (t) => {
  const flags = ['--application-command', '--x=1 $Y', '--idle-timeout', '5m', '--allow-unauthenticated-api'];
  const { daemonFlags } = parseStart([...flags, '--public-listen', '[::]:81', '--state-dir', '/mine'], place);
  t.deepEqual(daemonFlags.toSorted(), [
    '--allow-unauthenticated-api=true',
    '--application-command=--x=1 $Y',
    '--idle-timeout=5m',
    '--public-url=http://[::1]:81',
    '--router=unix:/a',
    '--state-dir=/mine',
  ]);
});

test('what listens everywhere is reached at loopback', (t) => {
  t.is(reachable({ host: '0.0.0.0', port: 80 }), '127.0.0.1:80');
  t.is(reachable({ host: '::', port: 80 }), '[::1]:80');
  t.is(reachable({ host: '127.0.0.2', port: 80 }), '127.0.0.2:80');
});

test('two addresses overlap that can not be listened on both', (t) => {
  const at = (host: string, port = 80) => ({ host, port });
  t.true(overlap(at('127.0.0.1'), at('localhost')));
  t.true(overlap(at('::'), at('127.0.0.1')));
  t.true(overlap(at('127.0.0.1'), at('0.0.0.0')));
  t.false(overlap(at('127.0.0.1'), at('127.0.0.2')));
  t.false(overlap(at('0.0.0.0'), at('0.0.0.0', 81)));
});

test('--help lists every flag with its default', (t) => {
  const { status, stdout } = run('--help');
  t.is(status, 0);
  const own = ['--public-listen', '--routes-zone-size', '--router-workers'];
  const daemons = daemonOptions().map(({ long }) => `${long}`);
  const text = stdout.replaceAll(/\s+/g, ' ');
  for (const flag of [...own, ...daemons])
    t.is(text.includes(` ${flag} `), !flag.startsWith('--router') || own.includes(flag), flag);
  for (const value of ['"127.0.0.1:8000"', '"8m"', '"30s"', 'default: the example app'])
    t.true(text.includes(value), value);
});

for (const [flags, says] of [
  [
    ['--idle-timeout', 'soon'],
    /^error: option '--idle-timeout <duration>' argument 'soon' is invalid\. Write/,
  ],
  [['--public-listen', 'localhost'], /^error: option '--public-listen <address:port>'/],
  [['--public-listen', '41003'], /Write an IP address and a port from 1 on, such as 127\.0\.0\.1:8000/],
  [
    ['--public-listen', '0.0.0.0:41003', '--listen', '127.0.0.1:41003'],
    /^spawner: --public-listen and --listen both name port 41003/,
  ],
  [['--public-listen', 'localhost:8000'], /Write an IP address and a port/],
  [['--listen', '127.0.0.1:0'], /^error: option '--listen <address:port>' .* Write a port from 1 on/],
  [['--routes-zone-size', '63k'], /^error: option '--routes-zone-size <size>'/],
  [['--router-workers', '0'], /^error: option '--router-workers <count>'/],
  [['--router', 'unix:/x'], /^error: unknown option '--router'/],
  [['--listen', '0.0.0.0:8080'], /^spawner: --listen 0\.0\.0\.0:8080 is reachable from other machines/],
] as const) {
  test(`${flags.join(' ')} is refused in one line that names the flag`, (t) => {
    const { status, stdout, stderr } = run(...flags);
    t.is(status, 2);
    t.is(stdout, '');
    t.regex(stderr, says);
    t.is(stderr.trimEnd().split('\n').length, 1, stderr);
  });
}

for (const flag of ['--public-listen', '--listen']) {
  test(`a taken port is one line that names ${flag}`, async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const { port } = server.address() as { port: number };
    const free = await reservePorts();
    t.teardown(free.release);
    const addresses = { '--public-listen': free.first, '--listen': free.last, [flag]: port };
    const { status, stdout, stderr } = run(
      ...Object.entries(addresses).map(([name, at]) => `${name}=127.0.0.1:${at}`),
    );
    t.is(status, 1);
    t.is(stdout, '');
    t.is(
      stderr,
      `spawner: ${flag} 127.0.0.1:${port} is taken by another program: end that one, or name a free port\n`,
    );
  });
}

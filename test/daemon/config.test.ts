import test from 'ava';
import { CommanderError } from 'commander';
import { isLoopback, parseConfig, parseListen } from '../../daemon/config.ts';
import { parseDurationMs } from '../../daemon/duration.ts';
import { ConfigError } from '../../daemon/errors.ts';

const NEEDED = ['--application-command', 'node app.js', '--router', 'unix:/run/admin.sock'];

test('durations have units, and a bare number counts seconds', (t) => {
  t.is(parseDurationMs('500ms'), 500);
  t.is(parseDurationMs('30'), 30_000);
  t.is(parseDurationMs('1.5s'), 1_500);
  t.is(parseDurationMs('5m'), 300_000);
  t.is(parseDurationMs('2h'), 7_200_000);
  t.is(parseDurationMs('1d'), 86_400_000);
  for (const wrong of ['', 's', '-1s', '1 s', '1w', 'off', '1e3'])
    t.is(parseDurationMs(wrong), undefined, wrong);
});

test('defaults', (t) => {
  const config = parseConfig(NEEDED);
  t.like(config, {
    runtime: { kind: 'process', command: 'node app.js', ports: { first: 20_000, last: 20_999 } },
    publicUrl: { form: 'path', scheme: 'http', host: '127.0.0.1:8000' },
    mode: 'path',
    requireToken: false,
    tokenSecret: undefined,
    listen: { host: '127.0.0.1', port: 8080 },
    routers: ['unix:/run/admin.sock'],
    status: 'router',
    idleTimeoutMs: 30_000,
    maxLifetimeMs: undefined,
    startTimeoutMs: 60_000,
    endPatienceMs: 10_000,
  });
});

test('--router is repeatable and takes http too', (t) => {
  const { routers } = parseConfig([...NEEDED, '--router', 'http://127.0.0.1:8081']);
  t.deepEqual(routers, ['unix:/run/admin.sock', 'http://127.0.0.1:8081']);
});

test('a wrong value is refused with exit code 2 and a line that names the flag', (t) => {
  const wrong: [string, string][] = [
    ['--idle-timeout', 'soon'],
    ['--idle-timeout', '0'],
    ['--max-lifetime', 'never'],
    ['--listen', '8080'],
    ['--listen', '127.0.0.1:99999'],
    ['--listen', 'no-such-host.invalid:80'],
    ['--listen', '1.2.3:80'],
    ['--stop-grace', '60d'],
    ['--application-command', ' '],
    ['--public-url', 'my-domain.com'],
    ['--public-url', 'https://my-domain.com/app'],
    ['--keep-prefix', 'maybe'],
    ['--require-token', 'maybe'],
    ['--router', '/run/admin.sock'],
    ['--status', 'guess'],
    ['--router', 'service:spawner-router'],
    ['--application-image', 'my app'],
    ['--application-port', '0'],
    ['--namespace', 'My_Space'],
    ['--max-cpu', 'two'],
    ['--max-memory', '1e9'],
    ['--allow-image', 'a,,b'],
    ['--unschedulable-timeout', 'off'],
    ['--ports', '20000'],
    ['--ports', '30000-20000'],
    ['--max-sessions', '0'],
    ['--max-sessions', '1.5'],
    ['--log-level', 'loud'],
  ];
  for (const [name, value] of wrong) {
    const error = t.throws(() => quietly(() => parseConfig([...NEEDED, name, value])), {
      instanceOf: CommanderError,
    });
    t.is(error.exitCode, 2, `${name} ${value}`);
    t.true(error.message.includes(name), error.message);
    t.notRegex(error.message, /\n/);
  }
});

test('a wrong secret is refused, and not told to the log', (t) => {
  const wrong: [string, string][] = [
    ['--token-secret', 'thirty-one-characters-long-xxxx'],
    ['--token-secret', 'long enough, but of several words'],
    ['--api-token', 'short'],
  ];
  for (const [name, value] of wrong) {
    const error = t.throws(() => parseConfig([...NEEDED, name, value]), { instanceOf: ConfigError });
    t.true(error.message.includes(name), error.message);
    t.false(error.message.includes(value), error.message);
  }
});

test('unknown flags, stray arguments and missing ones are refused', (t) => {
  for (const extra of [['--no-such-flag'], ['stray']]) {
    const error = t.throws(() => quietly(() => parseConfig([...NEEDED, ...extra])), {
      instanceOf: CommanderError,
    });
    t.is(error.exitCode, 2);
  }
  t.throws(() => parseConfig(NEEDED.slice(2)), { message: /--application-command .*--application-image/ });
  t.throws(() => parseConfig(NEEDED.slice(0, 2)), { message: /--router is missing/ });
});

const CLUSTER = ['--application-image', 'my-app:1', '--router', 'service:spawner-router-admin.spawner'];

test('an image selects the kubernetes runtime', (t) => {
  const more = [
    '--allow-image',
    'a:*,b',
    '--allow-image',
    'c',
    '--max-cpu',
    '2',
    '--pod-template',
    'pod.yaml',
  ];
  t.deepEqual(parseConfig([...CLUSTER, ...more, '--namespace', 'here']).runtime, {
    kind: 'kubernetes',
    image: 'my-app:1',
    port: 8080,
    namespace: 'here',
    podTemplate: 'pod.yaml',
    sidecarImage: undefined,
    unschedulableMs: 15_000,
    allowance: { images: ['a:*', 'b', 'c'], maxCpu: '2', maxMemory: undefined },
  });
  t.is(parseConfig(CLUSTER).endPatienceMs, 35_000);
});

test('flags that would have no effect, or contradict each other, are refused', (t) => {
  const refused: [string[], RegExp][] = [
    [[...NEEDED, '--application-image', 'my-app:1'], /--application-command and --application-image/],
    [[...NEEDED, '--namespace', 'here'], /--namespace has no effect without --application-image/],
    [[...NEEDED, '--status', 'sidecar'], /--status sidecar needs --application-image/],
    [[...CLUSTER, '--ports', '20000-20001'], /--ports has no effect without --application-command/],
    [[...CLUSTER, '--status', 'sidecar'], /--sidecar-image is missing/],
    [
      [...CLUSTER, '--status', 'sidecar', '--sidecar-image', 'r', '--application-port', '9118'],
      /--application-port 9118 is where the sidecar listens/,
    ],
  ];
  for (const [argv, message] of refused)
    t.throws(() => parseConfig(argv), { instanceOf: ConfigError, message });
});

test('the public URL and --keep-prefix choose how routers lead to sessions', (t) => {
  const mode = (...flags: string[]) => parseConfig([...NEEDED, ...flags]).mode;
  t.is(mode('--public-url', 'https://h/p/{id}/'), 'path');
  t.is(mode('--public-url', 'https://h', '--keep-prefix'), 'path-kept');
  t.is(mode('--public-url', 'https://h', '--keep-prefix=false'), 'path');
  t.is(mode('--public-url', 'https://{id}.h'), 'host');
  t.throws(() => mode('--public-url', 'https://{id}.h', '--keep-prefix'), {
    instanceOf: ConfigError,
    message: /--keep-prefix has no effect with --public-url https:\/\/\{id\}\.h/,
  });
});

test('in a cluster, tokens need a secret that outlives the daemon', (t) => {
  const tokenSecret = 'a-secret-of-thirty-two-characters';
  t.throws(() => parseConfig([...CLUSTER, '--require-token']), { message: /--token-secret is missing/ });
  t.like(parseConfig([...CLUSTER, '--require-token', '--token-secret', tokenSecret]), {
    requireToken: true,
    tokenSecret,
  });
  t.like(parseConfig([...NEEDED, '--require-token']), { requireToken: true, tokenSecret: undefined });
});

test('listening beyond loopback needs a token, or many words', (t) => {
  const open = [...NEEDED, '--listen', '0.0.0.0:8080'];
  t.throws(() => parseConfig(open), { message: /--listen 0\.0\.0\.0:8080 .*--api-token/ });
  t.notThrows(() => parseConfig([...open, '--api-token', 'a-token-of-some-length']));
  t.notThrows(() => parseConfig([...open, '--allow-unauthenticated-api']));
  t.notThrows(() => parseConfig([...open, '--allow-unauthenticated-api=true']));
  t.throws(() => parseConfig([...open, '--allow-unauthenticated-api=false']), { instanceOf: ConfigError });
  t.throws(() => quietly(() => parseConfig([...open, '--allow-unauthenticated-api=yes'])), {
    instanceOf: CommanderError,
  });
});

test('listen addresses', (t) => {
  t.deepEqual(parseListen('[::1]:80'), { host: '::1', port: 80 });
  t.deepEqual(parseListen('localhost:0'), { host: 'localhost', port: 0 });
  t.true(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].every(isLoopback));
  t.false(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.com', 'example.com'].some(isLoopback));
});

/** Commander prints what it refuses; the tests look at the error it throws. */
function quietly(work: () => void): void {
  const write = process.stderr.write;
  process.stderr.write = () => true;
  try {
    work();
  } finally {
    process.stderr.write = write;
  }
}

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { buildImages } from '../../scripts/images/images.ts';
import { root as project } from '../../scripts/nginx.ts';
import { ROUTER_DEFAULTS } from '../../scripts/router-settings.ts';
import { type OpenImage, openImage, runImage, runOnce } from '../support/image.ts';

type Images = Awaited<ReturnType<typeof buildImages>>;
type Name = keyof Images;
interface Context {
  images: Images;
  opened: Record<Name, OpenImage>;
}
const test = anyTest as TestFn<Context>;

const NAMES = ['router', 'daemon', 'example'] as const;
const ENTRYPOINT = '/usr/share/spawner/entrypoint.sh';
const TOKEN = 'a-token-of-the-tests';

const folders: string[] = [];

async function build(): Promise<Images> {
  const out = await mkdtemp(join(tmpdir(), 'spawner-images-'));
  folders.push(out);
  return buildImages({ out, line: 'stable', say: () => undefined });
}

test.before(async (t) => {
  t.timeout(120_000);
  const images = await build();
  const open = (name: Name) => openImage(images[name].archive, join(folders[0] as string, name));
  const [router, daemon, example] = await Promise.all([open('router'), open('daemon'), open('example')]);
  t.context = { images, opened: { router, daemon, example } };
});
test.after.always(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

test('building again gives the same bytes, and leaves nothing but the archives', async (t) => {
  const again = await build();
  for (const name of NAMES) {
    const [first, second] = [t.context.images[name], again[name]];
    t.deepEqual({ ...second, archive: '' }, { ...first, archive: '' });
    t.is(sha256(await readFile(second.archive)), sha256(await readFile(first.archive)), name);
  }
  t.deepEqual((await readdir(folders[1] as string)).sort(), [
    'spawner-daemon.tar',
    'spawner-example.tar',
    'spawner-router.tar',
  ]);
});

for (const name of NAMES) {
  test(`${name}: the archive is one of docker's, and what it says is what it holds`, async (t) => {
    const { ref, archive, digest, bytes } = t.context.images[name];
    const { version } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'));
    t.is(ref, `spawner-${name}:${version}`);
    t.is(bytes, (await stat(archive)).size);
    const { manifest, config, parts } = t.context.opened[name];
    const { Config, Layers } = manifest;
    t.deepEqual(manifest, { Config, RepoTags: [ref], Layers });
    // Readers find parts by these very names; and an index.json would make containerd's take it for an OCI layout.
    const entries = execFileSync('tar', ['-tf', archive], { encoding: 'utf8' }).trim().split('\n');
    t.deepEqual(entries, ['manifest.json', Config, ...Layers]);

    const content = (part: string) => readFile(join(parts, part));
    t.is(sha256(await content(Config)), digest);
    t.is(`sha256:${Config}`, `${digest}.json`);
    const layers: Buffer[] = await Promise.all(Layers.map(content));
    t.deepEqual(
      Layers,
      layers.map((bytes) => `${sha256(bytes).replace('sha256:', '')}.tar.gz`),
    );
    t.deepEqual(
      config.rootfs.diff_ids,
      layers.map((bytes) => sha256(gunzipSync(bytes))),
    );
    t.regex(config.config.User, /^[1-9]\d*:[1-9]\d*$/);
    t.is(config.config.Labels['org.opencontainers.image.version'], version);
  });

  test(`${name}: its Dockerfile starts it in the same way`, async (t) => {
    const { config } = t.context.opened[name].config;
    const text = await readFile(join(project, 'deploy/images', name, 'Dockerfile'), 'utf8');
    const says = (instruction: string) => new RegExp(`^${instruction} (.*)$`, 'm').exec(text)?.[1];
    t.deepEqual(JSON.parse(says('ENTRYPOINT') as string), config.Entrypoint);
    t.deepEqual(says('CMD') && JSON.parse(says('CMD') as string), config.Cmd);
    t.is(says('USER'), config.User);
    t.is(says('STOPSIGNAL'), config.StopSignal);
    t.deepEqual(says('ENV')?.split(' '), config.Env);
    t.deepEqual(
      says('EXPOSE')?.split(' '),
      Object.keys(config.ExposedPorts).map((port) => port.replace('/tcp', '')),
    );
    for (const [label, value] of Object.entries(config.Labels))
      t.true(text.includes(`${label}="${value}"`), label);
  });
}

test('an image holds the programs that it runs, and no others', async (t) => {
  const programs = async (name: Name) => {
    const { root } = t.context.opened[name];
    const folders = ['usr/bin', 'usr/sbin'].map((folder) => join(root, folder)).filter(existsSync);
    return (await Promise.all(folders.map((folder) => readdir(folder)))).flat();
  };
  t.deepEqual(await programs('router'), ['dash', 'nginx']);
  t.deepEqual(await programs('daemon'), ['node']);
  t.deepEqual(await programs('example'), ['node']);
});

test('daemon and example share the layer of Node', (t) => {
  const { daemon, example } = t.context.opened;
  t.is(daemon.manifest.Layers[0], example.manifest.Layers[0]);
});

/** How an image starts by its own configuration, and with these arguments and variables. */
function start(
  { root, config: { config } }: OpenImage,
  args: string[],
  env: Record<string, string>,
): [string, string[], Record<string, string>] {
  const own = Object.fromEntries((config.Env ?? []).map((text: string) => text.split('=')));
  return [root, [...config.Entrypoint, ...args], { ...own, ...env }];
}

function run(t: ExecutionContext<Context>, name: Name, args: string[], env: Record<string, string> = {}) {
  return runImage(t, ...start(t.context.opened[name], args, env));
}

test('router: serves on IPv4 and IPv6, as any user and on a read-only root; SIGQUIT ends it', async (t) => {
  const router = run(t, 'router', ['router'], { SPAWNER_ROUTER_TOKEN: TOKEN });
  const headers = { authorization: `Bearer ${TOKEN}` };
  for (const family of [4, 6] as const) {
    const session = await router.get(8000, `/p/${'a'.repeat(26)}/`, { family });
    t.is(session.status, 503);
    t.is(JSON.parse(session.body).error.code, 'router_not_filled');
    t.is((await router.get(9145, '/v1/health', { family })).status, 401);
    t.is((await router.get(9145, '/v1/health', { family, headers })).status, 200);
  }
  t.is((await router.get(8000, '/')).status, 404);
  t.is((await router.get(8000, '/drain')).status, 404);
  router.kill('SIGQUIT');
  t.is(await router.ended, 0);
  t.notRegex(router.output(), /\[(emerg|alert|crit|error|warn)\]/);
});

test('router: /drain takes the seconds that nodes need to hear that this Pod ends', async (t) => {
  const router = run(t, 'router', ['router'], { SPAWNER_ROUTER_TOKEN: TOKEN });
  await router.get(8000, '/');
  const started = performance.now();
  t.is((await router.get(9146, '/drain')).status, 401);
  t.true(performance.now() - started >= 5000);
});

test('router: what is not set is as scripts/render.ts has it', async (t) => {
  const text = await readFile(join(t.context.opened.router.root, ENTRYPOINT), 'utf8');
  const defaults = [...text.matchAll(/^ {2}(\w+)=\$\{SPAWNER_\w+:-(\w+)\}$/gm)].map((match) => [
    match[1],
    match[2],
  ]);
  const { activityZoneSize, connectionsPerSession, routesZoneSize } = ROUTER_DEFAULTS;
  const { holdMax, holdMaxPerSession, holdSeconds } = ROUTER_DEFAULTS;
  const counts = { connectionsPerSession, holdMax, holdMaxPerSession, holdSeconds, workers: 2 };
  const wanted = { activityZoneSize, routesZoneSize, ...counts, keepPrefix: false };
  t.deepEqual(
    Object.fromEntries(defaults),
    Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, String(value)])),
  );
});

test('sidecar: answers on IPv4 and IPv6', async (t) => {
  const sidecar = run(t, 'router', ['sidecar'], { SPAWNER_APPLICATION_PORT: '8080' });
  for (const family of [4, 6] as const) {
    const { status, body } = await sidecar.get(9118, '/status', { family });
    t.is(status, 200);
    t.is(JSON.parse(body).active_connections, 0);
  }
  sidecar.kill('SIGQUIT');
  t.is(await sidecar.ended, 0);
});

test('example: serves beyond loopback when nobody says where', async (t) => {
  const example = run(t, 'example', []);
  t.is((await example.get(8080, '/status')).status, 200);
  t.regex(example.output(), /listens on 0\.0\.0\.0:8080/);
});

const zone = 'set a size like 8m, at least 64k';
const token = { SPAWNER_ROUTER_TOKEN: TOKEN };
const refused: [Name, string[], Record<string, string>, string][] = [
  ['router', [], {}, 'entrypoint: "" is unknown: say router or sidecar'],
  [
    'router',
    ['router'],
    {},
    'router: SPAWNER_ROUTER_TOKEN is missing: set the token that the daemon has, too',
  ],
  [
    'router',
    ['router'],
    { SPAWNER_ROUTER_TOKEN: 'fifteen-letters' },
    'router: SPAWNER_ROUTER_TOKEN is too short: set 16 characters or more',
  ],
  [
    'router',
    ['router'],
    { SPAWNER_ROUTER_TOKEN: '";evil_directive;"' },
    'router: SPAWNER_ROUTER_TOKEN may have letters, digits and ._~+/=- only',
  ],
  ...['63k', '8', '8g', '08m', '8m;', 'm'].map((size): (typeof refused)[number] => [
    'router',
    ['router'],
    { ...token, SPAWNER_ROUTES_ZONE_SIZE: size },
    `router: SPAWNER_ROUTES_ZONE_SIZE is "${size}": ${zone}`,
  ]),
  ...['0', '-1', '1.5', '1;'].map((count): (typeof refused)[number] => [
    'router',
    ['router'],
    { ...token, SPAWNER_HOLD_MAX: count },
    `router: SPAWNER_HOLD_MAX is "${count}": set a whole number from 1 to 1000000`,
  ]),
  ['router', ['sidecar'], {}, 'sidecar: SPAWNER_APPLICATION_PORT is "": set a whole number from 1 to 65535'],
  [
    'router',
    ['sidecar'],
    { SPAWNER_APPLICATION_PORT: '65536' },
    'sidecar: SPAWNER_APPLICATION_PORT is "65536": set a whole number from 1 to 65535',
  ],
  ['daemon', ['--nope'], {}, "error: unknown option '--nope'"],
];
for (const [name, args, env, says] of refused) {
  test(`${name} ${args} ${JSON.stringify(env)} is refused in one line`, (t) => {
    const { status, stdout, stderr } = runOnce(...start(t.context.opened[name], args, env));
    t.deepEqual({ status, stdout, stderr }, { status: 2, stdout: '', stderr: `${says}\n` });
  });
}

test('daemon: --help lists the flags', (t) => {
  const { status, stdout } = runOnce(...start(t.context.opened.daemon, ['--help'], {}));
  t.is(status, 0);
  t.regex(stdout, /--application-command <command>/);
});

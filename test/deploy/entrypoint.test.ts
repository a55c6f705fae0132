import { join } from 'node:path';
import test from 'ava';
import { root } from '../../scripts/nginx.ts';
import type { RouterSettings } from '../../scripts/router-settings.ts';
import { isSame, POD, run } from './support/entrypoint.ts';

const DNS_POOL = {
  service: 'spawner-shard-{shard}.spawner-sessions.svc.cluster.local',
  port: 8080,
  resolvers: ['10.96.0.10'],
};

const SAME: Record<string, [Record<string, string>, Partial<RouterSettings>]> = {
  'nothing is set': [{}, {}],
  'the prefix is kept': [
    { SPAWNER_PUBLIC_URL: 'https://a.test/p/{id}/', SPAWNER_KEEP_PREFIX: 'true' },
    { mode: 'path-kept' },
  ],
  'each session has a host': [
    { SPAWNER_PUBLIC_URL: 'https://{id}.apps.a.test:8443/' },
    { mode: 'host', hostSuffix: '.apps.a.test' },
  ],
  'the API server has a name': [{ KUBERNETES_SERVICE_HOST: 'api.shoot.a.test' }, {}],
  'there are lists': [
    {
      SPAWNER_PUBLIC_URL: 'http://a.test/',
      SPAWNER_TRUSTED_PROXY: '10.0.0.0/8,fd00::/8',
      SPAWNER_ALLOW_ORIGIN: 'self,https://ok.a.test',
      SPAWNER_CONNECTIONS_PER_SESSION: '7',
      SPAWNER_BACKENDS: '10.1.0.0/16:8080,[fd00::]/8',
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
    },
    {
      trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
      allowedOrigins: ['self', 'https://ok.a.test'],
      connectionsPerSession: 7,
      backends: ['10.1.0.0/16:8080', '[fd00::]/8', '!10.96.0.1'],
    },
  ],
};

for (const [title, [env, settings]] of Object.entries(SAME)) {
  test(`the image makes the same files as scripts/render.ts when ${title}`, (t) => {
    const old = run(t, env);
    t.is(old.status, 0);
    t.is(old.stderr, 'router: a connection to a Pod for each request: nginx 1.26.3 is older than 1.29.6\n');
    isSame(t, old, { ...settings, nginxVersion: '1.26.3' });

    const current = run(t, env, { ...POD, nginxVersion: '1.30.6' });
    t.deepEqual([current.status, current.stderr], [0, '']);
    isSame(t, current, { ...settings, nginxVersion: '1.30.6', dnsPool: DNS_POOL });
  });
}

test('with a certificate, the public port speaks TLS, in each server', (t) => {
  const file = join(root, 'package.json');
  for (const url of ['https://a.test', 'https://{id}.a.test']) {
    const { status, read } = run(t, {
      SPAWNER_PUBLIC_URL: url,
      SPAWNER_TLS_CERTIFICATE: file,
      SPAWNER_TLS_KEY: file,
    });
    t.is(status, 0);
    const servers = read('nginx.conf').match(/^ {2}server \{.*?^ {2}\}/gms) ?? [];
    const publicServers = servers.filter((text) => text.includes('listen 8000'));
    t.is(publicServers.length, url.includes('{id}') ? 2 : 1);
    for (const text of publicServers) {
      t.true(text.includes('listen 8000 ssl;') && text.includes('http2 on;'), text);
      t.true(
        text.includes(`ssl_certificate "${file}";`) && text.includes(`ssl_certificate_key "${file}";`),
        text,
      );
    }
  }
});

const WRONG: [Record<string, string>, RegExp][] = [
  [{ SPAWNER_PUBLIC_URL: 'https://a.test/x' }, /SPAWNER_PUBLIC_URL is "https:\/\/a\.test\/x"/],
  [{ SPAWNER_PUBLIC_URL: 'https://{id}.A.test' }, /lower case/],
  [{ SPAWNER_PUBLIC_URL: 'https://{id}.' }, /SPAWNER_PUBLIC_URL/],
  [{ SPAWNER_PUBLIC_URL: 'a.test' }, /SPAWNER_PUBLIC_URL/],
  [
    { SPAWNER_PUBLIC_URL: 'https://{id}.a.test', SPAWNER_KEEP_PREFIX: 'true' },
    /SPAWNER_KEEP_PREFIX has no effect/,
  ],
  [{ SPAWNER_PUBLIC_URL: 'https://{id}.a.test:abc' }, /SPAWNER_PUBLIC_URL/],
  [{ SPAWNER_PUBLIC_URL: 'https://{id}.127.0.0.1' }, /SPAWNER_PUBLIC_URL/],
  [{ SPAWNER_PUBLIC_URL: 'https://{id}.a..b' }, /SPAWNER_PUBLIC_URL/],
  [{ SPAWNER_ALLOW_ORIGIN: '*' }, /SPAWNER_ALLOW_ORIGIN has "\*"/],
  [{ SPAWNER_CONNECTIONS_PER_SESSION: '70000' }, /SPAWNER_CONNECTIONS_PER_SESSION/],
  [{ SPAWNER_TLS_CERTIFICATE: '/tmp', SPAWNER_TLS_KEY: '/tmp' }, /no file \/tmp/],
  [{ SPAWNER_KEEP_PREFIX: 'yes' }, /SPAWNER_KEEP_PREFIX is "yes": set true or false/],
  [{ SPAWNER_TRUSTED_PROXY: '10.0.0.0/8;x' }, /SPAWNER_TRUSTED_PROXY/],
  [{ SPAWNER_ALLOW_ORIGIN: 'https://a.test"' }, /SPAWNER_ALLOW_ORIGIN/],
  [{ SPAWNER_ALLOW_ORIGIN: 'https://a.test/' }, /SPAWNER_ALLOW_ORIGIN has "https:\/\/a\.test\/"/],
  [{ SPAWNER_ALLOW_ORIGIN: 'a.test' }, /SPAWNER_ALLOW_ORIGIN has "a.test"/],
  [{ SPAWNER_CONNECTIONS_PER_SESSION: '0' }, /SPAWNER_CONNECTIONS_PER_SESSION/],
  [{ SPAWNER_APPLICATION_PORT: '0' }, /SPAWNER_APPLICATION_PORT is "0"/],
  [{ SPAWNER_SESSIONS_NAMESPACE: 'a.b' }, /SPAWNER_SESSIONS_NAMESPACE is "a\.b"/],
  [{ SPAWNER_BACKENDS: '10.0.0.0/8; x' }, /SPAWNER_BACKENDS/],
  [{ SPAWNER_TLS_CERTIFICATE: '/nowhere' }, /SPAWNER_TLS_/],
  [{ SPAWNER_TLS_CERTIFICATE: '/nowhere', SPAWNER_TLS_KEY: '/nowhere' }, /no file \/nowhere/],
];

for (const [env, problem] of WRONG) {
  test(`refused in one line: ${JSON.stringify(env)}`, (t) => {
    const { status, stderr } = run(t, env);
    t.is(status, 2);
    t.regex(stderr, problem);
    t.is(stderr.trim().split('\n').length, 1, stderr);
  });
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { root } from '../../scripts/nginx.ts';
import { renderNginx } from '../../scripts/render.ts';
import type { NginxSettings, RouterSettings } from '../../scripts/router-settings.ts';
import { check, RULES } from './nginx-check-rules.ts';
import { inherited, parseConfig, walk } from './nginx-check-syntax.ts';

const NGINX: NginxSettings = {
  module: '/modules/js.so',
  workers: 2,
  listen: '127.0.0.1:8000',
  directory: '/scratch',
  errorLog: 'stderr',
  apiUrl: 'http://127.0.0.1:8080',
};

const SETTINGS: { [title: string]: [Partial<NginxSettings>, Partial<RouterSettings>] } = {
  path: [{}, {}],
  'path, nginx 1.30': [{}, { nginxVersion: '1.30.6' }],
  'path, prefix kept': [{}, { mode: 'path-kept', nginxVersion: '1.30.6' }],
  'path, sessions found by DNS': [
    {},
    {
      nginxVersion: '1.30.6',
      dnsPool: { service: 'shard-{shard}.sessions.svc', port: 8080, resolvers: ['10.96.0.10'] },
    },
  ],
  host: [{}, { mode: 'host', hostSuffix: '.apps.test', nginxVersion: '1.30.6' }],
  'host, TLS': [
    { tls: { certificate: '/c.pem', key: '/k.pem' } },
    { mode: 'host', hostSuffix: '.apps.test' },
  ],
  'path, TLS, with every list': [
    { tls: { certificate: '/c.pem', key: '/k.pem' }, user: 'root' },
    {
      adminListen: '127.0.0.1:8081',
      adminToken: '0123456789abcdef',
      backends: ['10.0.0.0/8:8080', '[fd00::]/8'],
      trustedProxies: ['10.0.0.0/8', 'unix:'],
      allowedOrigins: ['self', 'https://a.test'],
      engine: 'qjs',
    },
  ],
};

for (const [title, [nginx, router]] of Object.entries(SETTINGS)) {
  test(`the router’s nginx.conf has no known dangerous pattern: ${title}`, (t) => {
    const files = renderNginx({ ...NGINX, ...nginx }, router);
    t.deepEqual(check(parseConfig('nginx.conf', files)), []);
    // In a Pod the same files stand in another frame; test/deploy/entrypoint.test.ts sees that they are the same.
    const server = 'server { server_tokens off; include spawner-server.conf; }';
    const pod = template('router-pod.conf').replace('{{server}}', server);
    t.deepEqual(check(parseConfig('pod.conf', { ...files, 'pod.conf': filled(pod) })), []);
  });
}

test('nor has the sidecar’s', (t) => {
  t.deepEqual(check(parseConfig('sidecar.conf', { 'sidecar.conf': filled(template('sidecar.conf')) })), []);
});

test('every place that leads to sessions says how it does so', (t) => {
  const tree = parseConfig('nginx.conf', renderNginx(NGINX, {}));
  const proxies = [...walk(tree)].filter(([{ name }]) => name === 'proxy_pass');
  t.is(proxies.length, 2);
  for (const [, around] of proxies) {
    const settingOf = (name: string) => inherited(name, around).map(({ args }) => args.join(' '));
    // An open WebSocket may be silent for a day; nothing else takes that long.
    t.deepEqual(settingOf('proxy_read_timeout'), ['24h']);
    t.deepEqual(settingOf('proxy_connect_timeout'), ['5s']);
    t.deepEqual(settingOf('client_header_timeout'), ['15s']);
    t.deepEqual(settingOf('proxy_request_buffering'), ['off']);
    t.deepEqual(settingOf('proxy_buffering'), ['off']);
    t.regex(settingOf('proxy_ignore_headers').join(), /X-Accel-Redirect/);
    t.is(settingOf('limit_conn').length, 1);
  }
});

/** A sample of what each rule is about, and one that only looks like it. */
const SAMPLES: { [rule: string]: [bad: string, fine: string] } = {
  decoded: ['location / { return 302 https://x$uri; }', 'location / { return 302 https://x$request_uri; }'],
  'named-capture': ['location ~ ^/(?<rest>.*) { }', 'location ~ ^/(?:x) { }'],
  'blind-upgrade': ['proxy_set_header Upgrade $http_upgrade;', 'proxy_set_header Upgrade $spawner_upgrade;'],
  'loose-proxy-pass': ['proxy_pass http://$arg_to;', 'proxy_pass http://$spawner_backend$spawner_rest;'],
  'if-effects': ['location / { if ($x) { set $y 1; } }', 'location / { if ($x) { return 403; } }'],
  'alias-traversal': ['location /x { alias /y/; }', 'location /x/ { alias /y/; }'],
  'variable-file': ['root /srv/$host;', 'root "/srv/a;b{c}";'],
  'path-patterns': ['location ~ /admin { deny all; }', 'location ^~ /admin/ { deny all; }'],
  'dropped-headers': [
    'server { add_header A a; location / { add_header B b; } }',
    'location / { add_header B b; }',
  ],
  resolver: ['resolver 8.8.8.8 valid=1s;', 'resolver 127.0.0.1 [::1] valid=1s;'],
  autoindex: ['autoindex on;', '# autoindex on;'],
  version: ['server { location / { } }', 'server { server_tokens off; location / { } }'],
  nocache: ['js_set $spawner_backend spawner.backend nocache;', 'js_set $spawner_backend spawner.backend;'],
  'zone-options': [
    'js_shared_dict_zone zone=a:1m timeout=60s evict;',
    'js_shared_dict_zone zone=a:1m type=number;',
  ],
  'next-upstream': [
    'location / { proxy_pass http://a; }',
    'location / { proxy_pass http://a; proxy_next_upstream off; }',
  ],
  internal: [
    'server { location /x { auth_request /ask; } location = /ask { return 200; } }',
    'server { location /x { auth_request /ask; } location = /ask { internal; return 200; } }',
  ],
  'ids-in-logs': [
    'server { location / { proxy_pass http://a; access_log off; } }',
    'server { location / { proxy_pass http://a; access_log off; error_log /dev/null emerg; } }',
  ],
  'lax-headers': ['underscores_in_headers on;', 'underscores_in_headers off;'],
  'old-tls': ['ssl_protocols TLSv1 TLSv1.2;', 'ssl_protocols TLSv1.2 TLSv1.3;'],
  'satisfy-any': ['satisfy any;', 'satisfy all;'],
  'odd-location': ['location ~~ /x { }', 'location ^~ /x { }'],
};

for (const { id } of RULES) {
  test(`the check finds ${id}, and nothing in what only looks like it`, (t) => {
    const [bad = '', fine = ''] = SAMPLES[id] ?? [];
    t.true(
      check(parseConfig('bad', { bad })).some(
        (line) => line.startsWith('bad:1: ') && line.includes(` ${id}: `),
      ),
    );
    t.deepEqual(
      check(parseConfig('fine', { fine })).filter((line) => line.includes(` ${id}: `)),
      [],
    );
  });
}

test('the parser reads what nginx reads', (t) => {
  const tree = parseConfig('a.conf', {
    'a.conf':
      'map "$a;{" $b { # no }\n  "~^\\d{2}x$" \'y;z\';\n  default $' + '{a}b; }\ninclude /etc/b.conf;',
    'b.conf': '\nuser "a b";',
  });
  t.deepEqual(tree, [
    {
      ...{ name: 'map', args: ['$a;{', '$b'], at: 'a.conf:1' },
      block: [
        { name: '~^\\d{2}x$', args: ['y;z'], at: 'a.conf:2' },
        { name: 'default', args: ['$' + '{a}b'], at: 'a.conf:3' },
      ],
    },
    { name: 'user', args: ['a b'], at: '/etc/b.conf:2' },
  ]);
  for (const broken of ['a', 'a {', 'a; }', 'include nothing.conf;']) {
    t.throws(() => parseConfig('x', { x: broken }), undefined, broken);
  }
});

function template(name: string): string {
  return readFileSync(join(root, 'nginx', name), 'utf8');
}

/** Settings of a template that this is not about. */
function filled(text: string): string {
  return text.replace(/^\{\{module\}\}$/m, '').replace(/\{\{\w+\}\}/g, 'x');
}

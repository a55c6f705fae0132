import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nginxFor } from '../nginx.ts';
import { listens, type Program, startProgram } from './proxies/program.ts';

/** Room for `sockets` WebSockets, each with two connections, in each of the workers: nobody shares them evenly. */
const PER_SOCKET = 2;
const OTHERS = 100;

/** The `current` nginx as a proxy for WebSockets to one backend, with nginx' own buffers. */
export async function startStaticProxy(
  scratch: string,
  {
    listen,
    backend,
    sockets,
    workers,
  }: { listen: number; backend: number; sockets: number; workers: number },
): Promise<Program> {
  const directory = await mkdtemp(join(scratch, 'static-'));
  await mkdir(join(directory, 'tmp'));
  const connections = PER_SOCKET * sockets + OTHERS;
  await writeFile(
    join(directory, 'nginx.conf'),
    `daemon off;
pid nginx.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes ${workers};
worker_rlimit_nofile ${connections + OTHERS};
events { worker_connections ${connections}; }
http {
  access_log off;
  client_body_temp_path tmp/client-body;
  proxy_temp_path tmp/proxy;
  fastcgi_temp_path tmp/fastcgi;
  uwsgi_temp_path tmp/uwsgi;
  scgi_temp_path tmp/scgi;
  upstream backend { server 127.0.0.1:${backend}; keepalive 64; }
  server {
    listen 127.0.0.1:${listen};
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_read_timeout 24h;
    }
  }
}
`,
  );
  const log = join(directory, 'error.log');
  return startProgram(
    'the static proxy',
    nginxFor('current').bin,
    ['-p', directory, '-e', log, '-c', 'nginx.conf'],
    () => listens(listen),
  );
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nginxFor } from '../../../nginx.ts';
import { startPeerNginx } from '../peers/nginx.ts';
import type { Program } from '../program.ts';

/** Paths below a session's, and the bytes of what they answer; any other answers with the port and a newline. */
const FILES = { '10k': 10 * 1024, '1m': 1024 * 1024 };

/** One nginx that listens on all of `ports` of 127.0.0.1, and answers on each as a backend of its own. */
export async function startBackend(scratch: string, ports: number[]): Promise<Program> {
  for (const [name, size] of Object.entries(FILES)) {
    await writeFile(join(scratch, name), Buffer.alloc(size, 'x'));
  }
  return startPeerNginx(join(scratch, `backend-${ports[0]}`), {
    name: 'the backend',
    command: [nginxFor('current').bin],
    port: ports[0] as number,
    http: http(scratch, ports),
  });
}

/** The proxies are to choose how long connections last. Not all of them take the prefix of a session off. */
function http(scratch: string, ports: number[]): string {
  const files = Object.keys(FILES).map(
    (name) => `    location ~ ^(/p/[^/]+)?/${name}$ { alias ${scratch}/${name}; }`,
  );
  return `  sendfile on;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_max_body_size 0;
  server {
${ports.map((port) => `    listen 127.0.0.1:${port};`).join('\n')}
    default_type text/plain;
    location / { return 200 "$server_port\\n"; }
    # Takes the whole body before it answers, in memory, by asking itself without one.
    location ~ ^(/p/[^/]+)?/upload$ {
      client_body_buffer_size 2m;
      proxy_method GET;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_pass http://127.0.0.1:$server_port/;
    }
${files.join('\n')}
  }`;
}

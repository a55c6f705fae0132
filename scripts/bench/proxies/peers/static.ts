import { type NginxLine, nginxFor } from '../../../nginx.ts';
import { freePort } from '../program.ts';
import { startPeerNginx } from './nginx.ts';
import type { Peer, World } from './peer.ts';

/**
 * The limit: nginx with the backends that its configuration names, to which it keeps connections. It looks nothing up:
 * a hash of the request's target says which of them it is, so that a session always has the same one.
 */
export function staticProxy(name: string, line: NginxLine): Peer {
  const { bin, version } = nginxFor(line);
  return {
    name,
    title: `nginx ${version}, static keepalive`,
    looksUp: false,
    async start(world, directory) {
      const port = await freePort();
      const nginx = { name, command: [bin] as [string], port, http: http(world, port) };
      return { port, ...(await startPeerNginx(directory, nginx)) };
    },
  };
}

/** Streams as ours does: nginx/spawner-proxy.conf. */
function http({ http, webSockets }: World, port: number): string {
  const upgrades = webSockets.map(
    ({ id }) => `    location /p/${id}/ {
      proxy_pass http://127.0.0.1:${webSockets[0]?.port};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
    }`,
  );
  const ports = [...new Set(http.map((session) => session.port))];
  return `  upstream sessions {
    ${ports.length > 1 ? 'hash $request_uri;' : ''}
${ports.map((backend) => `    server 127.0.0.1:${backend};`).join('\n')}
    keepalive ${Math.max(256, 2 * ports.length)};
  }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    proxy_request_buffering off;
    proxy_buffering off;
    proxy_buffer_size 8k;
    proxy_read_timeout 24h;
    location / {
      proxy_pass http://sessions;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
${upgrades.join('\n')}
  }`;
}

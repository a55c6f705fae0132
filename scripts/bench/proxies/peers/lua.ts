import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianProgram } from '../debian.ts';
import { freePort } from '../program.ts';
import { startPeerNginx } from './nginx.ts';
import type { Peer, World } from './peer.ts';

/** nginx with Lua: the same design as ours in the language that has been there for it. */
export async function lua(): Promise<Peer> {
  const { command, root, version } = await debianProgram('nginx');
  const inRoot = (path: string) => join(root, 'usr', path);
  const modules = ['ndk_http_module.so', 'ngx_http_lua_module.so'];
  return {
    name: 'lua',
    title: `nginx ${version} with Lua, balancer_by_lua`,
    looksUp: true,
    async start(world, directory) {
      const port = await freePort();
      const idsFile = `${directory}.ids`;
      await writeFile(idsFile, linesOf(world));
      const program = await startPeerNginx(directory, {
        name: 'lua',
        command,
        modules: modules.map((name) => inRoot(join('lib', 'nginx', 'modules', name))),
        http: http(inRoot(join('share', 'lua', '5.1')), idsFile, port),
        port,
      });
      return { port, ...program };
    },
  };
}

function linesOf({ http, webSockets }: World): string {
  return [...http, ...webSockets].map(({ id, port }) => `${id} ${port}\n`).join('');
}

function http(libraries: string, idsFile: string, port: number): string {
  return `  lua_package_path "${libraries}/?.lua;${libraries}/?/init.lua;;";
  lua_shared_dict routes 8m;
  init_by_lua_block {
    balancer = require "ngx.balancer"
    for line in io.lines("${idsFile}") do
      ngx.shared.routes:set(line:sub(1, 26), tonumber(line:sub(28)))
    end
  }
  upstream sessions {
    server 0.0.0.1;
    balancer_by_lua_block {
      local port = ngx.shared.routes:get(ngx.var.request_uri:sub(4, 29))
      if not port then
        return ngx.exit(404)
      end
      balancer.set_current_peer("127.0.0.1", port)
    }
    keepalive 256;
  }
  map $http_upgrade $upgrade {
    default "";
    websocket upgrade;
  }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    proxy_request_buffering off;
    proxy_buffering off;
    proxy_buffer_size 8k;
    proxy_read_timeout 24h;
    location /p/ {
      proxy_pass http://sessions;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $upgrade;
    }
  }`;
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianProgram } from '../debian.ts';
import { freePort, listens, startProgram } from '../program.ts';
import type { Peer, World } from './peer.ts';

/** HAProxy, with a map of ids to ports, and connections that all clients share. */
export async function haproxy(): Promise<Peer> {
  const { command, version } = await debianProgram('haproxy');
  const [program, ...words] = command;
  return {
    name: 'haproxy',
    title: `HAProxy ${version}, map`,
    looksUp: true,
    async start(world, directory) {
      const port = await freePort();
      await mkdir(directory);
      const path = (name: string) => join(directory, name);
      await writeFile(path('ports.map'), mapOf(world));
      await writeFile(path('haproxy.cfg'), configuration(path('ports.map'), port));
      const args = [...words, '-db', '-f', path('haproxy.cfg')];
      return { port, ...(await startProgram('haproxy', program, args, () => listens(port))) };
    },
  };
}

function mapOf({ http, webSockets }: World): string {
  return [...http, ...webSockets].map(({ id, port }) => `${id} ${port}\n`).join('');
}

function configuration(map: string, port: number): string {
  return `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 24h
frontend public
  bind 127.0.0.1:${port}
  http-request set-var(txn.port) path,field(3,/),map_str_int(${map})
  http-request return status 404 unless { var(txn.port) -m found }
  default_backend sessions
backend sessions
  http-reuse always
  http-request set-dst ipv4(127.0.0.1)
  http-request set-dst-port var(txn.port)
  server any 0.0.0.0:0 pool-low-conn 256
`;
}

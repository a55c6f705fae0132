import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listens, type Program, startProgram } from '../program.ts';

/** An nginx of one worker that is none of ours, but has its events and limits: those of nginx/nginx.conf. */
export interface PeerNginx {
  name: string;
  /** The words that start it. */
  command: [string, ...string[]];
  /** To load, absolute. */
  modules?: string[];
  /** What is in its `http` block. */
  http: string;
  /** One that it listens on. */
  port: number;
}

/** Starts it in a folder of its own, which does not exist yet. */
export async function startPeerNginx(directory: string, nginx: PeerNginx): Promise<Program> {
  await mkdir(directory);
  await writeFile(join(directory, 'nginx.conf'), configuration(nginx));
  const [command, ...args] = nginx.command;
  return startProgram(
    nginx.name,
    command,
    [...args, '-p', directory, '-e', join(directory, 'error.log'), '-c', 'nginx.conf'],
    () => listens(nginx.port),
  );
}

function configuration({ modules = [], http }: PeerNginx): string {
  return `${modules.map((module) => `load_module ${module};\n`).join('')}daemon off;
pid nginx.pid;
# Others may not enter its folder.
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
worker_rlimit_nofile 16384;
events {
  worker_connections 8192;
}
http {
  access_log off;
  client_body_temp_path tmp-client-body;
  proxy_temp_path tmp-proxy;
  fastcgi_temp_path tmp-fastcgi;
  uwsgi_temp_path tmp-uwsgi;
  scgi_temp_path tmp-scgi;
${http}
}
`;
}

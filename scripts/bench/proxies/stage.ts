import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../suite.ts';
import { startBackend } from './load/backend.ts';
import { startEcho } from './load/start-echo.ts';
import { writeIds } from './load/wrk.ts';
import type { Peer, RunningProxy, World } from './peers/peer.ts';
import type { Program } from './program.ts';
import type { Session } from './visited.ts';
import type { Load } from './works.ts';

/** How many sessions are looked at before a proxy is measured. */
const LOOKED_AT = 5;

/** A proxy to start, and the world that it is for. */
export interface Role {
  peer: Peer;
  world: World;
  /** Of the world's sessions: unset, all of them. */
  visited?: Session[];
}

/** A proxy that runs, and what its visitors need to know. */
export interface Actor extends Role {
  proxy: RunningProxy;
  visitors: Pick<Load, 'idsFile' | 'webSocketIdsFile' | 'webSocketIds' | 'backendPort'>;
}

/** Runs proxies and the backends of their worlds while `play` uses them, and ends them all whatever happens. */
export async function onStage<T>(
  roles: Role[],
  { scratch, abort, say }: Pick<Context, 'scratch' | 'abort' | 'say'>,
  play: (actors: Actor[]) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(scratch, 'stage-'));
  const programs: Pick<Program, 'stop'>[] = [];
  const portsOf = (kind: 'http' | 'webSockets') => [
    ...new Set(roles.flatMap(({ world }) => world[kind].map(({ port }) => port))),
  ];
  try {
    programs.push(await startBackend(directory, portsOf('http')));
    const webSocketPorts = portsOf('webSockets');
    if (webSocketPorts.length > 0) programs.push(await startEcho(webSocketPorts));
    const actors: Actor[] = [];
    for (const [index, role] of roles.entries()) {
      abort.throwIfAborted();
      say(`starting ${role.peer.title}`);
      const proxy = await role.peer.start(role.world, join(directory, `${index}-${role.peer.name}`));
      programs.push(proxy);
      await look(role, proxy);
      const idsFile = join(directory, `${index}.ids`);
      await writeIds(idsFile, role.visited ?? role.world.http);
      const webSocketIdsFile = join(directory, `${index}-web-sockets.ids`);
      await writeIds(webSocketIdsFile, role.world.webSockets);
      const webSocketIds = role.world.webSockets.map(({ id }) => id);
      const backendPort = role.world.http[0]?.port ?? Number.NaN;
      actors.push({ ...role, proxy, visitors: { idsFile, webSocketIdsFile, webSocketIds, backendPort } });
    }
    return await play(actors);
  } finally {
    for (const program of programs.reverse()) await program.stop();
  }
}

/** Whoever is fast because it proxies to anywhere is no peer. */
async function look({ peer, world: { http } }: Role, { port }: RunningProxy): Promise<void> {
  const step = Math.ceil(http.length / LOOKED_AT);
  for (const session of http.filter((_, index) => index % step === 0)) {
    const answer = await fetch(`http://127.0.0.1:${port}/p/${session.id}/`);
    const seen = await answer.text();
    const wanted = (peer.looksUp ? [session] : http).map(({ port }) => `${port}\n`);
    if (!wanted.includes(seen))
      throw new Error(`${peer.name} answers ${answer.status} ${seen} instead of ${wanted[0]}`);
  }
}

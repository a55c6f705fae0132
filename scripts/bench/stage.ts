import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { startBackend } from './load/backend.ts';
import type { Peer, RunningProxy, World } from './peers/peer.ts';
import type { Program } from './program.ts';
import type { Context } from './suite.ts';
import type { Session } from './visited.ts';

/** How many sessions are looked at before a proxy is measured. */
const LOOKED_AT = 5;

/** A proxy of a world. */
export interface Actor {
  name: string;
  subject: string;
  proxy: RunningProxy;
}

/** Runs a world's backends and proxies while `play` uses them, and ends them all whatever happens. */
export async function onStage<T>(
  world: World,
  peers: Peer[],
  { scratch, abort }: Pick<Context, 'scratch' | 'abort'>,
  play: (actors: Actor[], directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(scratch, 'stage-'));
  const programs: Pick<Program, 'stop'>[] = [];
  try {
    programs.push(await startBackend(directory, portsOf(world.http)));
    const actors: Actor[] = [];
    for (const peer of peers) {
      abort.throwIfAborted();
      const proxy = await peer.start(world, join(directory, peer.name));
      programs.push(proxy);
      await look(peer, proxy, world);
      actors.push({ name: peer.name, subject: peer.title, proxy });
    }
    return await play(actors, directory);
  } finally {
    for (const program of programs.reverse()) await program.stop();
  }
}

/** Whoever is fast because it proxies to anywhere is no peer. */
async function look({ name, looksUp }: Peer, { port }: RunningProxy, { http }: World): Promise<void> {
  const step = Math.ceil(http.length / LOOKED_AT);
  for (const session of http.filter((_, index) => index % step === 0)) {
    const answer = await fetch(`http://127.0.0.1:${port}/p/${session.id}/`);
    const [seen, wanted] = [await answer.text(), `${looksUp ? session.port : http[0]?.port}\n`];
    if (seen !== wanted) throw new Error(`${name} answers ${answer.status} ${seen} instead of ${wanted}`);
  }
}

function portsOf(sessions: Session[]): number[] {
  return [...new Set(sessions.map(({ port }) => port))];
}

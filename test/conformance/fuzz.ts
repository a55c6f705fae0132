import fc from 'fast-check';
import { plain } from './app.ts';
import { newCase, type Session } from './case.ts';
import { dial } from './client.ts';
import { connections, streamOf } from './fuzz-streams.ts';
import { type Meant, readStream } from './reference.ts';
import type { World } from './world.ts';

export interface FuzzCounts {
  requests: number;
  /** That reached an app: the one that they name. */
  served: number;
}

/**
 * Sends at least as many generated requests, several on a connection, and holds each that reached an app against the
 * reference. Throws with the connection that went wrong.
 */
export async function fuzz(world: World, wanted: number): Promise<FuzzCounts> {
  const c = newCase(world);
  const counts = { requests: 0, served: 0 };
  try {
    const sessions: Session[] = [];
    for (let count = 0; count < 3; count++) {
      sessions.push(await c.session((visit) => visit.end(plain(`[${visit.header('x-case')}]`))));
    }
    const property = fc.asyncProperty(connections(sessions.map(({ id }) => id)), async (all) => {
      const made = all.map((requests) => streamOf(requests));
      for (const { visits } of sessions) visits.length = 0;
      await Promise.all(made.map(({ stream, markers }) => check(sessions, stream, markers)));
      counts.requests += all.flat().length;
    });
    while (counts.requests < wanted) {
      const { failed, errorInstance } = await fc.check(property, { numRuns: 10, endOnFailure: true });
      if (failed) throw errorInstance;
    }
    return counts;
  } finally {
    await c.end();
  }

  async function check(sessions: Session[], stream: string, markers: string[]): Promise<void> {
    const client = dial((sessions[0] as Session).router.place);
    client.send(stream);
    const answers = await client.bytes.rest();
    client.close();
    const meant = readStream(stream, world.mode);
    for (const { id, visits } of sessions) {
      for (const visit of visits) {
        const marker = visit.header('x-case') ?? '';
        if (!markers.some((own) => marker.includes(own))) continue;
        if (!meant.some((request) => isThis(request, id, marker, visit.line))) {
          throw new Error(`${id} was asked ${visit.line}, sent as ${JSON.stringify(stream)}`);
        }
        counts.served += 1;
      }
    }
    const failure = /^HTTP\/1\.1 5.*$/m.exec(answers)?.[0];
    if (failure !== undefined) throw new Error(`${failure} is the answer to ${JSON.stringify(stream)}`);
    // A request of HTTP/0.9, which is a line, carries no marker.
    const answered = [...answers.matchAll(/\[(\([^\]]*)\]/g)].map(([, marker = '']) => marker);
    const stranger = answered.find((marker) => !markers.some((own) => marker.includes(own)));
    if (stranger !== undefined)
      throw new Error(`the answer to ${stranger} came to ${JSON.stringify(stream)}`);
    const places = answered.map((marker) => markers.findIndex((own) => marker.includes(own)));
    if (places.some((place, index) => place < (places[index - 1] ?? 0)))
      throw new Error(`answers came as ${answered.join()} to ${JSON.stringify(stream)}`);
  }
}

function isThis(request: Meant, id: string, marker: string, line: string): boolean {
  return request.id === id && request.marker === marker && line.endsWith(` ${request.target} HTTP/1.1`);
}

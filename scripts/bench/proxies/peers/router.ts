import { join } from 'node:path';
import { createRouterClient } from '../../../../daemon/routers/router-client.ts';
import { buildBundle } from '../../../build.ts';
import { type NginxLine, nginxFor } from '../../../nginx.ts';
import { renderNginx, writeFiles } from '../../../render.ts';
import { routerTitle } from '../names.ts';
import { freePort, prepared, startProgram } from '../program.ts';
import type { Session } from '../visited.ts';
import type { Peer, World } from './peer.ts';

/** The most that the admin API takes at once. */
const BATCH = 500;

/** What differs between the ways in which our router is measured. */
interface Way {
  name: string;
  /** For tables. */
  says: string;
  line: NginxLine;
  engine?: 'qjs';
  /** A network instead of an address leaves nothing to keep connections to. */
  backends?: (ports: World['ports']) => string;
  /** For more sessions than fit by default. */
  zoneSize?: string;
}

/** Our router, as `npm start` runs it, with one worker. */
export function router({ name, says, line, engine, backends = oneAddress, zoneSize = '8m' }: Way): Peer {
  const { bin, module, version, njs } = nginxFor(line);
  return {
    name,
    title: routerTitle(says, { version, njs }),
    looksUp: true,
    async start({ http, webSockets, ports }, directory) {
      const port = await freePort();
      const jsPath = join(directory, 'spawner.js');
      const errorLog = join(directory, 'error.log');
      const admin = `unix:${join(directory, 'admin.sock')}`;
      const files = renderNginx(
        {
          module,
          workers: 1,
          listen: `127.0.0.1:${port}`,
          user: process.getuid?.() === 0 ? 'root' : undefined,
          directory,
          errorLog,
          apiUrl: 'http://127.0.0.1',
        },
        {
          jsPath,
          adminListen: admin,
          backends: [backends(ports)],
          routesZoneSize: zoneSize,
          activityZoneSize: zoneSize,
          nginxVersion: version,
          engine,
        },
      );
      await writeFiles(directory, files);
      await buildBundle(jsPath);
      const args = ['-p', directory, '-e', errorLog, '-c', 'nginx.conf'];
      const program = await startProgram(name, bin, args, () => answers(admin));
      const sessions = [...http, ...webSockets];
      return { port, admin, ...(await prepared(program, () => fill(admin, sessions))) };
    },
  };
}

export function oneAddress({ first, last }: World['ports']): string {
  return `127.0.0.1:${first}-${last}`;
}

export function network({ first, last }: World['ports']): string {
  return `127.0.0.0/8:${first}-${last}`;
}

async function answers(address: string): Promise<boolean> {
  const client = createRouterClient(address, undefined);
  try {
    await client.health();
    return true;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

/** Tells a router of all sessions. */
async function fill(address: string, sessions: Session[]): Promise<void> {
  const client = createRouterClient(address, undefined);
  try {
    for (let first = 0; first < sessions.length; first += BATCH) {
      const put = Object.fromEntries(
        sessions
          .slice(first, first + BATCH)
          .map(({ id, port }) => [id, { state: 'ready' as const, address: `127.0.0.1:${port}` }]),
      );
      const { full, refused } = await client.write({ generation: 1, put, delete: [], forget: [] });
      if (full.length + refused.length > 0) {
        throw new Error(`the router has no room for ${full.length} routes and refuses ${refused.length}`);
      }
    }
    const { bootId } = await client.health();
    await client.filled(bootId);
  } finally {
    await client.close();
  }
}

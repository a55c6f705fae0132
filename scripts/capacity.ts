/** Measures how many sessions fit a router's zones, and prints the tables of docs/capacity.md. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { buildBundle } from './build.ts';
import { nginxFor } from './nginx.ts';
import { renderNginx, writeFiles } from './render.ts';
import type { RouterSettings } from './router-settings.ts';

const BATCH = 500;
// The discard port of loopback: nobody listens there, and a request that fails at once is counted all the same.
const NOWHERE = '127.0.0.1:9';

type Fill = (admin: Pool, visitors: Pool) => Promise<number>;

await table('spawner_routes', 'routes', ['1m', '4m', '8m', '16m', '64m'], (size) =>
  withRouter({ routesZoneSize: size }, fillRoutes),
);
await table('spawner_activity', 'sessions, with one worker', ['512k', '1m', '2m'], (size) =>
  withRouter({ routesZoneSize: '16m', activityZoneSize: size }, fillActivity),
);

async function table(
  zone: string,
  what: string,
  sizes: string[],
  measure: (size: string) => Promise<number>,
) {
  console.log(`| \`${zone}\` | ${what} | bytes each |\n|---|---|---|`);
  for (const size of sizes) {
    const entries = await measure(size);
    const bytes = Number.parseInt(size, 10) * (size.endsWith('m') ? 1024 : 1) * 1024;
    console.log(`| ${size} | ${entries.toLocaleString('en')} | ${Math.round(bytes / entries)} |`);
  }
  console.log();
}

/** Puts new routes until there is no room. */
async function fillRoutes(admin: Pool): Promise<number> {
  for (let routes = 0; ; routes += BATCH) {
    const refused = await put(admin, routes);
    if (refused > 0) {
      return routes + BATCH - refused;
    }
  }
}

/** Visits new sessions until one is not counted. */
async function fillActivity(admin: Pool, visitors: Pool): Promise<number> {
  let first = 0;
  for (; first < 20 * BATCH; first += BATCH) {
    await put(admin, first);
  }
  for (let visited = 0; ; visited += BATCH) {
    const visits = Array.from({ length: BATCH }, async (_, index) => {
      const answer = await visitors.request({ path: `/p/${idOf(visited + index)}/`, method: 'GET' });
      await answer.body.dump();
    });
    await Promise.all(visits);
    const { uncounted } = await call(admin, 'GET', '/v1/activity');
    if (uncounted > 0) {
      return visited + BATCH - uncounted;
    }
  }
}

/** Writes a batch of routes; returns how many did not fit. */
async function put(admin: Pool, first: number): Promise<number> {
  const ids = Array.from({ length: BATCH }, (_, index) => idOf(first + index));
  const routes = Object.fromEntries(ids.map((id) => [id, { state: 'ready', address: NOWHERE }]));
  const answer = await call(admin, 'POST', '/v1/routes', { generation: 1, put: routes });
  return answer.full.length;
}

function idOf(index: number): string {
  return String(index).padStart(26, 'c');
}

// biome-ignore lint/suspicious/noExplicitAny: the admin API's JSON, as docs/router-api.md describes it.
async function call(admin: Pool, method: 'GET' | 'POST', path: string, body?: unknown): Promise<any> {
  const answer = await admin.request({
    method,
    path,
    body: body === undefined ? null : JSON.stringify(body),
  });
  return answer.body.json();
}

/** An nginx of one worker in a scratch folder, for as long as `fill` takes. */
async function withRouter(settings: Partial<RouterSettings>, fill: Fill): Promise<number> {
  const found = nginxFor();
  const directory = await mkdtemp(join(tmpdir(), 'spawner-capacity-'));
  const path = (name: string) => join(directory, name);
  const router = { ...settings, jsPath: path('spawner.js'), adminListen: `unix:${path('admin.sock')}` };
  const nginx = {
    module: found.module,
    workers: 1,
    listen: `unix:${path('public.sock')}`,
    user: process.getuid?.() === 0 ? 'root' : undefined,
    directory,
    errorLog: path('error.log'),
    apiUrl: 'http://127.0.0.1',
  };
  await buildBundle(router.jsPath);
  await writeFiles(
    directory,
    renderNginx(nginx, { ...router, backends: ['127.0.0.1:1-99'], nginxVersion: found.version }),
  );
  const child = spawn(found.bin, ['-p', directory, '-e', nginx.errorLog, '-c', 'nginx.conf'], {
    stdio: 'inherit',
  });
  const exited = once(child, 'exit');
  const admin = new Pool('http://router', { socketPath: path('admin.sock') });
  const visitors = new Pool('http://router', { socketPath: path('public.sock'), connections: 8 });
  try {
    while (!(await call(admin, 'GET', '/v1/health').catch(() => false))) {
      if (child.exitCode !== null) {
        throw new Error(`nginx ended with status ${child.exitCode}`);
      }
      await sleep(20);
    }
    return await fill(admin, visitors);
  } finally {
    await Promise.all([admin.destroy(), visitors.destroy()]);
    child.kill();
    await exited;
    await rm(directory, { recursive: true, force: true });
  }
}

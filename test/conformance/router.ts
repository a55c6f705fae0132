import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mode } from '../../daemon/public-url.ts';
import { nginxFor } from '../../scripts/nginx.ts';
import { type Files, renderNginx, writeFiles } from '../../scripts/render.ts';
import type { NginxSettings, RouterSettings } from '../../scripts/router-settings.ts';
import { type Admin, adminAt } from '../support/admin.ts';
import { endNginx, startNginx } from '../support/nginx.ts';
import type { Stack } from '../support/router.ts';
import { writeCertificate } from './certificate.ts';
import type { Place } from './client.ts';

export type RouteState = 'starting' | 'ready' | 'draining';

/** A router set in one way. */
export interface Router {
  place: Place;
  /** Its scratch folder. */
  directory: string;
  admin: Admin;
  /** Writes a route at the next generation; `digest` is that of its access token. */
  put(id: string, state: RouteState, address: string, digest?: string): Promise<void>;
  /** A tombstone, at the next generation. */
  remove(id: string): Promise<void>;
  errorLog(): Promise<string>;
  stop(): Promise<void>;
}

interface Settings {
  router?: Partial<RouterSettings>;
  nginx?: Partial<NginxSettings>;
  /** What no setting changes: timeouts that are too long to wait for. */
  edits?: [RegExp, string][];
  /** Whether the daemon has not filled it yet. */
  unfilled?: boolean;
}

const TLS = { certificate: 'certificate.pem', key: 'key.pem' };

/** How the routers of the table are set; `plain` has the defaults. */
const FLAVOURS = {
  plain: {},
  tls: { nginx: { tls: TLS } },
  trusting: { router: { trustedProxies: ['127.0.0.0/8'] } },
  strict: { router: { allowedOrigins: ['self', 'https://friend.test'], connectionsPerSession: 2 } },
  unfilled: { unfilled: true },
  impatient: { edits: [[/proxy_read_timeout .*;/g, 'proxy_read_timeout 2s;']] },
  hasty: {
    router: { holdSeconds: 1 },
    edits: [
      [/client_header_timeout .*;/g, 'client_header_timeout 2s;'],
      [/client_body_timeout .*;/g, 'client_body_timeout 2s;'],
      [/([^_])send_timeout .*;/g, '$1send_timeout 2s;'],
    ],
  },
} satisfies { [name: string]: Settings };

export type Flavour = keyof typeof FLAVOURS;

/** `first-last`: what the kernel chooses from (ip(7)). */
const FREE_PORTS = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().replace(/\s+/, '-');

export async function startRouter(
  flavour: Flavour,
  { mode, stack, place, bundle }: { mode: Mode; stack: Stack; place: Omit<Place, 'tls'>; bundle: string },
): Promise<Router> {
  const { router = {}, nginx = {}, edits = [], unfilled = false }: Settings = FLAVOURS[flavour];
  const { bin, module, version } = nginxFor(stack.line);
  const directory = await mkdtemp(join(tmpdir(), 'spawner-table-'));
  const at = (name: string) => join(directory, name);
  const admin = adminAt(at('admin.sock'));
  const files = renderNginx(
    {
      ...{ module, directory, listen: `${place.host}:${place.port}`, workers: 1, errorLog: at('error.log') },
      user: process.getuid?.() === 0 ? 'root' : undefined,
      apiUrl: 'http://127.0.0.1:8080',
      ...nginx,
      tls: nginx.tls && { certificate: at(TLS.certificate), key: at(TLS.key) },
    },
    {
      ...{ mode, jsPath: bundle, engine: stack.engine, nginxVersion: version },
      hostSuffix: mode === 'host' ? '.apps.test' : '',
      adminListen: `unix:${at('admin.sock')}`,
      // Where apps listen that take port 0, so that nginx which can keeps their connections; and where nobody listens.
      backends: [`127.0.0.1:${FREE_PORTS}`, '127.0.0.1:9'],
      ...router,
    },
  );
  let running: ChildProcess;
  try {
    await writeFiles(directory, edited(files, edits));
    if (nginx.tls) await writeCertificate(at(TLS.certificate), at(TLS.key));
    running = await startNginx(bin, directory, at('error.log'), () => isUp(admin));
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  if (!unfilled) await admin.fill();
  let generation = 0;
  const write = async (batch: object) => {
    generation += 1;
    const { status, body } = await admin.call('POST', '/v1/routes', { generation, ...batch });
    if (status !== 200) throw new Error(`a route was refused: ${JSON.stringify(body)}`);
  };
  return {
    ...{ directory, admin, place: { ...place, tls: nginx.tls !== undefined } },
    put: (id, state, address, digest) =>
      write({ put: { [id]: { state, address, ...(digest && { tokenDigest: digest }) } } }),
    remove: (id) => write({ delete: [id] }),
    errorLog: () => readFile(at('error.log'), 'utf8'),
    async stop() {
      await endNginx(running);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Each edit must meet something: a template that says it in other words is no longer edited. */
function edited(files: Files, edits: [RegExp, string][]): Files {
  for (const [pattern] of edits) {
    if (!Object.values(files).some((text) => text.search(pattern) >= 0))
      throw new Error(`nothing is ${pattern}`);
  }
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [
      name,
      edits.reduce((changed, [pattern, replacement]) => changed.replace(pattern, replacement), text),
    ]),
  );
}

async function isUp(admin: Admin): Promise<boolean> {
  return admin.call('GET', '/v1/health').then(
    () => true,
    () => false,
  );
}

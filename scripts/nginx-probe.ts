import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join, relative, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { cache, type Nginx } from './nginx.ts';
import { compareVersions, lineOf, oldestNjs, parseBuild } from './nginx-version.ts';

const moduleFile = 'ngx_http_js_module.so';

/**
 * Tries an nginx: which version it is, where its js module lies, and which njs that module runs.
 * `module`, when given, is the only module tried. Throws an Error of one line when it can't be used.
 */
export async function probeNginx(bin: string, module?: string): Promise<Nginx> {
  const asked = spawnSync(bin, ['-V'], { encoding: 'utf8' });
  const build = parseBuild(asked.stderr ?? '');
  if (!build) throw new Error(`${bin} is no nginx that runs on this machine`);
  const name = `${bin} (nginx ${build.version})`;
  let reason = `it has no ${moduleFile}`;
  for (const candidate of module ? [resolve(module)] : modulesOf(bin, build.modulesPath)) {
    const tried = await tryModule(bin, candidate);
    if ('reason' in tried) {
      if (candidate) reason = tried.reason;
      continue;
    }
    if (compareVersions(tried.njs, oldestNjs) < 0) {
      throw new Error(`${name} has njs ${tried.njs}, but ${oldestNjs} or newer is needed`);
    }
    return { line: lineOf(build.version), bin, module: candidate, version: build.version, njs: tried.njs };
  }
  throw new Error(`${name} can't run njs: ${reason}; name the js module built for it in NGINX_JS_MODULE`);
}

/** The places a js module can be in, the most telling last; null stands for njs built in. */
function modulesOf(bin: string, modulesPath: string): (string | null)[] {
  const folders = ['root/usr/lib/nginx/modules', '../lib/nginx/modules', '../modules', modulesPath];
  const files = folders.map((folder) => resolve(dirname(bin), folder, moduleFile));
  return [null, ...files.filter((file) => existsSync(file))];
}

/**
 * Runs nginx for a moment and asks it for its njs version: `nginx -t` compiles a script without running it,
 * so it can't tell. A reason is nginx's own first error.
 */
async function tryModule(bin: string, module: string | null): Promise<{ njs: string } | { reason: string }> {
  // Not in TMPDIR: whatever is wrong there says nothing of this nginx.
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'probe-'));
  writeFileSync(join(folder, 'probe.js'), 'export default { version: r => r.return(200, njs.version) };\n');
  writeFileSync(join(folder, 'nginx.conf'), configuration(module));
  const child = spawn(bin, ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // Relative, since a checkout may lie too deep for a unix socket's path.
  const socket = relative(process.cwd(), join(folder, 'probe.sock'));
  const [errors, closed] = [text(child.stderr), once(child, 'close')];
  try {
    const deadline = performance.now() + 10_000;
    while (child.exitCode === null && performance.now() < deadline) {
      const njs = await ask(socket);
      if (njs) return { njs };
      await sleep(5);
    }
    child.kill('SIGKILL');
    return { reason: /\[emerg\] (?:\S+: )?(.*)/.exec(await errors)?.[1] ?? 'it does not answer' };
  } finally {
    child.kill('SIGKILL');
    await closed;
    rmSync(folder, { recursive: true, force: true });
  }
}

function configuration(module: string | null): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path temp;`);
  return `${module ? `load_module "${module}";` : ''}
daemon off; master_process off; pid nginx.pid;
events {}
http {
  access_log off; ${temp.join(' ')}
  js_import probe from probe.js;
  server { listen unix:probe.sock; location / { js_content probe.version; } }
}
`;
}

/** The body that a GET on a unix socket brings, or undefined while nothing answers there. */
function ask(socketPath: string): Promise<string | undefined> {
  return new Promise((done) => {
    const call = request({ socketPath, path: '/' }, (response) =>
      text(response).then(done, () => done(undefined)),
    );
    call.on('error', () => done(undefined)).end();
  });
}

/**
 * The nginx part of set-up: `node scripts/nginx-setup.ts [--all-lines]`. Takes NGINX_BIN if given, else the
 * machine's own nginx if its njs is new enough, else unpacks Debian's below `.cache/nginx`, and records the
 * choice for `nginxFor`. Every nginx is tried again each time, so a record never outlives what it describes.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { cache, type Nginx, type NginxLine, recordPath, root } from './nginx.ts';
import { probeNginx } from './nginx-probe.ts';

/** What the user names is relative to the user's folder; npm runs scripts in the project's. */
const here = process.env.INIT_CWD ?? '.';
const suites: Record<NginxLine, string> = { current: 'forky', stable: 'trixie' };

async function main(): Promise<void> {
  const allLines = process.argv.includes('--all-lines');
  const found = (await givenNginx()) ?? (await machineNginx());
  const wanted: NginxLine[] = allLines ? ['current', 'stable'] : found ? [] : ['current'];
  const unpacked = await Promise.all(wanted.filter((line) => line !== found?.line).map(unpackedNginx));
  const all = found ? [found, ...unpacked] : unpacked;
  for (const nginx of all) record(nginx.line, nginx);
  record('default', all[0] as Nginx);
}

/** The nginx the user names; one that can't be used is an error, never a reason to take another. */
async function givenNginx(): Promise<Nginx | undefined> {
  const { NGINX_BIN, NGINX_JS_MODULE } = process.env;
  if (!NGINX_BIN) return undefined;
  try {
    const bin = NGINX_BIN.includes('/') ? resolve(here, NGINX_BIN) : programOf(NGINX_BIN);
    if (!bin) throw new Error(`there is no program ${NGINX_BIN} in PATH`);
    return await probeNginx(bin, NGINX_JS_MODULE && resolve(here, NGINX_JS_MODULE));
  } catch (error) {
    throw new Error(`NGINX_BIN: ${message(error)}`);
  }
}

async function machineNginx(): Promise<Nginx | undefined> {
  const bin = programOf('nginx');
  if (!bin) return undefined;
  try {
    return await probeNginx(bin);
  } catch {
    return undefined;
  }
}

/** The path of a program, or '' when there is none; nginx is often where only root's PATH leads. */
function programOf(name: string): string {
  const env = { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` };
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { encoding: 'utf8', env }).stdout.trim();
}

async function unpackedNginx(line: NginxLine): Promise<Nginx> {
  const folder = join(cache, line);
  const bin = join(folder, 'nginx');
  // It was unpacked wholly, and somebody may be running it: only the user takes it away.
  if (existsSync(folder)) return probeNginx(bin).catch((error) => failOn(folder, error));
  const started = performance.now();
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  await unpack(line, fresh);
  renameSync(fresh, folder);
  const nginx = await probeNginx(bin);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(`nginx ${nginx.version} with njs ${nginx.njs} ready in ${relative(root, folder)} (${seconds} s)`);
  return nginx;
}

function failOn(folder: string, error: unknown): never {
  throw new Error(`${message(error)}; or remove ${folder} to have it downloaded anew`);
}

async function unpack(line: NginxLine, folder: string): Promise<void> {
  const log = join(cache, `${line}.log`);
  mkdirSync(dirname(log), { recursive: true });
  const child = spawn('bash', [join(root, 'scripts', 'unpack-nginx.sh'), suites[line], folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr.pipe(createWriteStream(log));
  let reason = 'unpack-nginx.sh failed';
  createInterface(child.stdout).on('line', (text) => say(`nginx (${line}): ${text}`));
  createInterface(child.stderr).on('line', (text) => {
    reason = text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${reason} (details: ${log})`);
}

function record(name: NginxLine | 'default', nginx: Nginx): void {
  const path = recordPath(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(nginx)}\n`);
  renameSync(`${path}.new`, path);
}

function say(text: string): void {
  console.log(`setup: ${text}`);
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  await main();
} catch (error) {
  console.error(`setup: ${message(error)}`);
  process.exitCode = 1;
}

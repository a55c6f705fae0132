import os from 'node:os';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import type { Allowance } from './allowance.ts';
import { parseDurationMs } from './duration.ts';
import { ConfigError } from './errors.ts';
import { daemonOptions } from './options.ts';
import { type Mode, modeOf, type PublicUrl, parsePublicUrl } from './public-url.ts';
import { SIDECAR_PORT } from './runtime/kubernetes/names.ts';

export type StatusSource = 'app' | 'sidecar' | 'router';

export interface ProcessConfig {
  kind: 'process';
  command: string;
  ports: { first: number; last: number };
  stateDir: string;
}

export interface KubernetesConfig {
  kind: 'kubernetes';
  image: string;
  port: number;
  /** Undefined: that of the credentials. */
  namespace: string | undefined;
  podTemplate: string | undefined;
  sidecarImage: string | undefined;
  unschedulableMs: number;
  allowance: Allowance;
}

export interface Config {
  runtime: ProcessConfig | KubernetesConfig;
  publicUrl: PublicUrl;
  /** What routers have to be set to. */
  mode: Mode;
  requireToken: boolean;
  /** Undefined: for sessions that are processes, one is kept in the state folder. */
  tokenSecret: string | undefined;
  listen: { host: string; port: number };
  routers: string[];
  routerToken: string | undefined;
  apiToken: string | undefined;
  status: StatusSource;
  idleTimeoutMs: number;
  maxLifetimeMs: number | undefined;
  startTimeoutMs: number;
  stopGraceMs: number;
  /** How long the end of a session may take before somebody gives up on it. */
  endPatienceMs: number;
  statusMisses: number;
  maxSessions: number;
  logLevel: string;
}

type Flags = Record<string, string> & { router?: string[]; allowImage?: string[] };

const KILL_MS = 5_000;
// A kubelet may take this long beyond a Pod's grace.
const KUBELET_MS = 30_000;
const PROCESS_FLAGS = ['ports', 'stateDir'];
const KUBERNETES_FLAGS = [
  'applicationPort',
  'namespace',
  'podTemplate',
  'allowImage',
  'maxCpu',
  'maxMemory',
  'sidecarImage',
  'unschedulableTimeout',
];

/**
 * Reads the flags and their environment variables.
 * `--help` and wrong values print to stdout or stderr and end in a `CommanderError` with the exit code (0 or 2).
 * @throws {ConfigError} when values contradict each other
 */
export function parseConfig(argv: string[]): Config {
  const command = new Command('spawner-daemon')
    .description('Creates, routes and reaps sessions: the control plane of Spawner.')
    .exitOverride((error) => {
      throw new CommanderError(error.exitCode === 0 ? 0 : 2, error.code, error.message);
    });
  for (const option of daemonOptions()) command.addOption(option);
  const flags = command.parse(argv, { from: 'user' }).opts<Flags>();

  const runtime = parseRuntime(command, flags);
  const stopGraceMs = parseDurationMs(flags.stopGrace as string) as number;
  const config: Config = {
    runtime,
    ...parsePublic(flags),
    ...parseTokens(flags, runtime),
    listen: parseListen(flags.listen as string),
    routers: required(flags.router, '--router', 'unix:/run/spawner/admin.sock'),
    routerToken: flags.routerToken,
    apiToken: flags.apiToken,
    status: flags.status as StatusSource,
    idleTimeoutMs: parseDurationMs(flags.idleTimeout as string) as number,
    maxLifetimeMs: parseDurationMs(flags.maxLifetime as string),
    startTimeoutMs: parseDurationMs(flags.startTimeout as string) as number,
    stopGraceMs,
    endPatienceMs: stopGraceMs + (runtime.kind === 'process' ? KILL_MS : KUBELET_MS),
    statusMisses: Number(flags.statusMisses),
    maxSessions: Number(flags.maxSessions),
    logLevel: flags.logLevel as string,
  };
  if (
    !isLoopback(config.listen.host) &&
    config.apiToken === undefined &&
    flags.allowUnauthenticatedApi !== 'true'
  ) {
    throw new ConfigError(
      `--listen ${flags.listen} is reachable from other machines: set --api-token, or say --allow-unauthenticated-api`,
    );
  }
  return config;
}

function parsePublic(flags: Flags): Pick<Config, 'publicUrl' | 'mode'> {
  const publicUrl = parsePublicUrl(flags.publicUrl as string) as PublicUrl;
  const keepPrefix = flags.keepPrefix === 'true';
  if (keepPrefix && publicUrl.form === 'host') {
    throw new ConfigError(
      `--keep-prefix has no effect with --public-url ${flags.publicUrl}: there is no prefix`,
    );
  }
  return { publicUrl, mode: modeOf(publicUrl, keepPrefix) };
}

function parseTokens(
  flags: Flags,
  { kind }: Config['runtime'],
): Pick<Config, 'requireToken' | 'tokenSecret'> {
  const requireToken = flags.requireToken === 'true';
  if (requireToken && kind === 'kubernetes') {
    required(flags.tokenSecret, '--token-secret', 'what openssl rand -hex 32 writes');
  }
  return { requireToken, tokenSecret: flags.tokenSecret };
}

function parseRuntime(command: Command, flags: Flags): ProcessConfig | KubernetesConfig {
  const { applicationCommand, applicationImage } = flags;
  if (applicationCommand !== undefined && applicationImage !== undefined) {
    throw new ConfigError(
      '--application-command and --application-image contradict each other: set one of them',
    );
  }
  if (applicationImage !== undefined) {
    refuseFlags(command, PROCESS_FLAGS, '--application-command');
    return parseKubernetes(applicationImage, flags);
  }
  if (applicationCommand === undefined) {
    throw new ConfigError(
      'what shall a session run? --application-command "node my-app.js", or in a cluster --application-image my-app:1.0',
    );
  }
  refuseFlags(command, KUBERNETES_FLAGS, '--application-image');
  if (flags.status === 'sidecar')
    throw new ConfigError('--status sidecar needs --application-image: a process has none');
  return {
    kind: 'process',
    command: applicationCommand,
    ports: parsePorts(flags.ports as string),
    stateDir: path.resolve(flags.stateDir ?? path.join(os.homedir(), '.local/state/spawner')),
  };
}

function parseKubernetes(image: string, flags: Flags): KubernetesConfig {
  const port = Number(flags.applicationPort);
  if (flags.status === 'sidecar') {
    required(flags.sidecarImage, '--sidecar-image', 'spawner-router:0.1.0');
    if (port === SIDECAR_PORT)
      throw new ConfigError(`--application-port ${port} is where the sidecar listens`);
  }
  return {
    kind: 'kubernetes',
    image,
    port,
    namespace: flags.namespace,
    podTemplate: flags.podTemplate,
    sidecarImage: flags.status === 'sidecar' ? flags.sidecarImage : undefined,
    unschedulableMs: parseDurationMs(flags.unschedulableTimeout as string) as number,
    allowance: { images: flags.allowImage ?? [], maxCpu: flags.maxCpu, maxMemory: flags.maxMemory },
  };
}

/** What would have no effect is a mistake. */
function refuseFlags(command: Command, names: string[], needed: string): void {
  const options = command.options.filter((option) => names.includes(option.attributeName()));
  const set = options.find((option) =>
    ['cli', 'env'].includes(command.getOptionValueSource(option.attributeName()) ?? ''),
  );
  if (set) throw new ConfigError(`${set.long} has no effect without ${needed}`);
}

export function parseListen(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function parsePorts(text: string): ProcessConfig['ports'] {
  const [first, last] = text.split('-').map(Number);
  return { first: first as number, last: last as number };
}

function required<T>(value: T | undefined, name: string, example: string): T {
  if (value === undefined) throw new ConfigError(`${name} is missing; for example ${name} "${example}"`);
  return value;
}

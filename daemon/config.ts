import os from 'node:os';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { parseDurationMs } from './duration.ts';
import { ConfigError } from './errors.ts';
import { daemonOptions } from './options.ts';

export type StatusSource = 'app' | 'router';

export interface Config {
  applicationCommand: string;
  /** Without a slash at its end. */
  publicUrl: string;
  listen: { host: string; port: number };
  routers: string[];
  routerToken: string | undefined;
  apiToken: string | undefined;
  status: StatusSource;
  idleTimeoutMs: number;
  maxLifetimeMs: number | undefined;
  startTimeoutMs: number;
  stopGraceMs: number;
  statusMisses: number;
  maxSessions: number;
  ports: { first: number; last: number };
  stateDir: string;
  logLevel: string;
}

type Flags = Record<string, string> & { router?: string[] };

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

  const config: Config = {
    applicationCommand: required(flags.applicationCommand, '--application-command', 'node my-app.js'),
    publicUrl: (flags.publicUrl as string).replace(/\/$/, ''),
    listen: parseListen(flags.listen as string),
    routers: required(flags.router, '--router', 'unix:/run/spawner/admin.sock'),
    routerToken: flags.routerToken,
    apiToken: flags.apiToken,
    status: flags.status as StatusSource,
    idleTimeoutMs: parseDurationMs(flags.idleTimeout as string) as number,
    maxLifetimeMs: parseDurationMs(flags.maxLifetime as string),
    startTimeoutMs: parseDurationMs(flags.startTimeout as string) as number,
    stopGraceMs: parseDurationMs(flags.stopGrace as string) as number,
    statusMisses: Number(flags.statusMisses),
    maxSessions: Number(flags.maxSessions),
    ports: parsePorts(flags.ports as string),
    stateDir: path.resolve(flags.stateDir ?? path.join(os.homedir(), '.local/state/spawner')),
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

export function parseListen(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function parsePorts(text: string): Config['ports'] {
  const [first, last] = text.split('-').map(Number);
  return { first: first as number, last: last as number };
}

function required<T>(value: T | undefined, name: string, example: string): T {
  if (value === undefined) throw new ConfigError(`${name} is missing; for example ${name} "${example}"`);
  return value;
}

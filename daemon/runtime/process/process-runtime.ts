/**
 * Runs each session as a local process on a port of its own. Linux only: it reads /proc.
 * Sessions outlive the daemon: they lead process groups of their own, write to files and not to pipes, and are found
 * again through their records.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { shardOfPort, shardOfSession } from '../../../njs/shard.ts';
import { ApiError } from '../../errors.ts';
import { every } from '../../every.ts';
import type { PublicUrl } from '../../public-url.ts';
import type { SessionSpec } from '../../session.ts';
import type { Observation, Runtime } from '../runtime.ts';
import { sessionEnvironment } from './environment.ts';
import { lastLines, trim } from './output.ts';
import { createPorts } from './ports.ts';
import { isFree, listeningAddress } from './probe.ts';
import { identify, isAlive, type ProcessIdentity, scanProcesses } from './proc.ts';
import { openRecords, type SessionRecord } from './records.ts';
import { stopSession } from './stop.ts';

const LISTEN_POLL_MS = 25;
const STARTS_AT_A_TIME = 4;
const PROBES_PER_AGE = 10;
const MOST_PROBE_MS = 1_000;
const ENDS_POLL_MS = 500;
const TRIM_MS = 1_000;

export interface ProcessRuntimeSettings {
  /** For /bin/sh. */
  command: string;
  dir: string;
  ports: { first: number; last: number };
  publicUrl: PublicUrl;
  stopGraceMs: number;
  inheritedEnv: NodeJS.ProcessEnv;
  log: Logger;
}

type Exit = Extract<Observation, { phase: 'exited' }>['failure'];

const LOST: Exit = {
  code: 'app_lost',
  message: 'The app ended. An earlier daemon had started it, so nobody knows how.',
};

interface Running {
  record: SessionRecord;
  /** Not our child: nobody tells us of its end, so we look. */
  adopted: boolean;
  backend: string | undefined;
  exit: Exit | undefined;
  /** When to look again whether it listens; monotonic. */
  probeAt: number;
}

export async function createProcessRuntime(settings: ProcessRuntimeSettings): Promise<Runtime> {
  const records = await openRecords(settings.dir);
  const ports = createPorts(settings.ports.first, settings.ports.last);
  const sessions = new Map<string, Running>();
  // Starting a process blocks everything else here for some milliseconds: let others have their turn.
  const starts = pLimit(STARTS_AT_A_TIME);
  let changed: (id: string) => void = () => {};

  for (const record of await records.readAll()) {
    ports.hold(record.port);
    await adopt(record);
  }
  await noticeListeners();
  await noticeEnds();

  async function adopt(record: SessionRecord): Promise<void> {
    const running: Running = { record, adopted: true, backend: undefined, exit: undefined, probeAt: 0 };
    sessions.set(record.id, running);
    if (record.process) return;
    // The daemon was killed between the start of the process and the note of it, or before the start.
    const bearer = (await scanProcesses()).find(({ spawnerSession }) => spawnerSession === record.id);
    const found = bearer && (await identify(bearer.pid));
    if (found) await remember(record, found);
    else running.exit = LOST;
  }

  async function remember(record: SessionRecord, found: ProcessIdentity): Promise<void> {
    record.process = found;
    await records.write(record);
  }

  async function create(spec: SessionSpec): Promise<void> {
    if (sessions.has(spec.id)) return;
    // Then routers keep its connections: njs/shard.ts.
    const isOfShard = (candidate: number) => shardOfPort(candidate) === shardOfSession(spec.id);
    const port = await ports.take(isOfShard, isFree);
    if (port === undefined) {
      throw new ApiError(
        503,
        'no_free_port',
        'Every port of --ports is in use: end sessions or widen the range.',
        {
          retryAfterSeconds: 5,
        },
      );
    }
    const { id, createdAt, labels, idempotency, tokenEpoch } = spec;
    const record: SessionRecord = { id, createdAt, labels, idempotency, tokenEpoch, port, deleted: false };
    const running: Running = { record, adopted: false, backend: undefined, exit: undefined, probeAt: 0 };
    sessions.set(id, running);
    await records.write(record);
    try {
      const child = await starts(() => start(spec, port, (exit) => ended(running, exit)));
      const leader = await identify(child.pid as number);
      if (leader) await remember(record, leader);
    } catch (error) {
      ended(running, {
        code: 'app_spawn_failed',
        message: `The app could not be started: ${(error as Error).message}.`,
      });
    }
  }

  async function start(spec: SessionSpec, port: number, exited: (exit: Exit) => void): Promise<ChildProcess> {
    const output = await open(records.outputPath(spec.id), 'a', 0o600);
    try {
      const child = spawn('/bin/sh', ['-c', settings.command], {
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
        env: sessionEnvironment(settings.inheritedEnv, spec, { port, publicUrl: settings.publicUrl }),
      });
      // At once: a command that fails has exited before anything else happens here.
      child.once('exit', (code, signal) => exited(describeExit(code, signal)));
      await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
      child.unref();
      return child;
    } finally {
      await output.close();
    }
  }

  function ended(running: Running, exit: Exit): void {
    running.exit ??= exit;
    changed(running.record.id);
  }

  async function noticeListeners(): Promise<void> {
    const now = performance.now();
    const due = (running: Running) => !running.backend && !running.exit && running.probeAt <= now;
    const waiting = [...sessions.values()].filter(due);
    await Promise.all(
      waiting.map(async (running) => {
        // The longer it has taken, the less a little more matters.
        running.probeAt =
          now + Math.min((Date.now() - running.record.createdAt) / PROBES_PER_AGE, MOST_PROBE_MS);
        running.backend = await listeningAddress(running.record.port);
        if (running.backend) changed(running.record.id);
      }),
    );
  }

  async function noticeEnds(): Promise<void> {
    for (const running of sessions.values()) {
      const leader = running.record.process;
      if (running.adopted && !running.exit && leader && !(await isAlive(leader))) ended(running, LOST);
    }
  }

  async function trimOutputs(): Promise<void> {
    for (const id of sessions.keys()) await trim(records.outputPath(id));
  }

  const failed = (error: Error) => settings.log.error({ err: error }, 'process runtime upkeep failed');
  const stops = [
    every(LISTEN_POLL_MS, noticeListeners, failed),
    every(ENDS_POLL_MS, noticeEnds, failed),
    every(TRIM_MS, trimOutputs, failed),
  ];

  return {
    keepsAddress: true,
    async start() {},
    create,
    async setTokenEpoch(id, tokenEpoch) {
      const { record } = sessions.get(id) as Running;
      await records.write({ ...record, tokenEpoch });
      record.tokenEpoch = tokenEpoch;
    },
    async list() {
      return [...sessions.values()].map(({ record }) => record);
    },
    async observe(id) {
      const running = sessions.get(id);
      if (!running) return { phase: 'missing' };
      if (running.exit) return { phase: 'exited', failure: running.exit };
      if (running.backend) return { phase: 'listening', backend: running.backend };
      return { phase: 'starting', lacks: "nothing listens on the session's PORT" };
    },
    async refresh() {}, // what is remembered of processes is what the kernel tells
    output: (id) => lastLines(records.outputPath(id)),
    async delete(id) {
      const running = sessions.get(id);
      if (!running) return;
      // Noted first: should we be killed, the next daemon must not take this end for a failure.
      running.record.deleted = true;
      await records.write(running.record).catch((error: Error) => {
        settings.log.error({ session: id, err: error }, 'end could not be noted');
      });
      await stopSession(id, running.record.process, settings.stopGraceMs);
    },
    async release(id) {
      const running = sessions.get(id);
      if (!running) return;
      await records.remove(id);
      sessions.delete(id);
      ports.free(running.record.port);
    },
    watch(callback) {
      changed = callback;
    },
    async close() {
      for (const stop of stops) stop();
    },
  };
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): Exit {
  if (signal !== null) return { code: 'app_exited', message: `The app was ended by ${signal}.`, signal };
  return { code: 'app_exited', message: `The app exited with code ${code}.`, exitCode: code ?? 0 };
}

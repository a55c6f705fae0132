/**
 * One small file a session: how a daemon that was killed finds its sessions again. Written before the process is
 * started, so that there is never a process without one.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../../errors.ts';
import type { OwnedSession } from '../runtime.ts';
import type { ProcessIdentity } from './proc.ts';

const recordSchema = z.object({
  id: z.string(),
  createdAt: z.number(),
  labels: z.record(z.string(), z.string()),
  idempotency: z.object({ key: z.string(), digest: z.string() }).nullable(),
  /** Absent from records that were written before there were tokens. */
  tokenEpoch: z.number().nullable().default(null),
  port: z.number(),
  deleted: z.boolean(),
  /** Absent from the moment before the process is started until the moment after. */
  process: z.object({ pid: z.number(), startTicks: z.number(), bootId: z.string() }).optional(),
});

export type SessionRecord = OwnedSession & { port: number; process?: ProcessIdentity | undefined };

export interface Records {
  readAll(): Promise<SessionRecord[]>;
  write(record: SessionRecord): Promise<void>;
  remove(id: string): Promise<void>;
  outputPath(id: string): string;
}

/** @param dir made if it is missing, readable by its owner only */
export async function openRecords(dir: string): Promise<Records> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const recordPath = (id: string) => path.join(dir, `${id}.json`);
  const outputPath = (id: string) => path.join(dir, `${id}.log`);

  async function read(name: string): Promise<SessionRecord> {
    const file = path.join(dir, name);
    const text = await readFile(file, 'utf8');
    try {
      return recordSchema.parse(JSON.parse(text));
    } catch {
      // Records are written whole or not at all: somebody else changed it.
      throw new ConfigError(
        `${file} is no record of a session: end what still runs of it, then remove the file`,
      );
    }
  }

  return {
    outputPath,
    async readAll() {
      const files = await readdir(dir);
      // What a kill left half-written was never in force.
      await Promise.all(
        files.filter((file) => file.endsWith('.tmp')).map((file) => rm(path.join(dir, file))),
      );
      return Promise.all(files.filter((file) => file.endsWith('.json')).map(read));
    },
    async write(record) {
      const temporary = `${recordPath(record.id)}.tmp`;
      await writeFile(temporary, JSON.stringify(record), { mode: 0o600 });
      await rename(temporary, recordPath(record.id));
    },
    async remove(id) {
      await rm(outputPath(id), { force: true });
      await rm(recordPath(id), { force: true });
    },
  };
}

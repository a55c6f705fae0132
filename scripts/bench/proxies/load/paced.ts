import { join } from 'node:path';
import { percentile } from '../../percentiles.ts';
import { debianProgram } from '../debian.ts';
import { runProgram } from '../program.ts';

/** What is sent to a proxy on a port of 127.0.0.1. */
export interface Paced {
  /** Small GETs, or messages of 64 bytes to be echoed. */
  kind: 'http' | 'webSocket';
  port: number;
  /** A file with an id of a session a line. */
  idsFile: string;
  connections: number;
  /** 0: as fast as answers come, on each connection. */
  perSecond: number;
  milliseconds: number;
}

/** Of all that was due in one slice of the time, in µs. */
export interface Latencies {
  count: number;
  p50: number;
  p99: number;
}

const SLICE_SECONDS = 0.2;

/** Measures latencies at a fixed rate (paced.lua says how), slice by slice. */
export async function pace(paced: Paced, abort: AbortSignal): Promise<Latencies[]> {
  const { kind, port, idsFile, connections, perSecond, milliseconds } = paced;
  const [program, ...words] = (await debianProgram('luajit')).command;
  const numbers = [connections, perSecond, milliseconds / 1000, SLICE_SECONDS].map(String);
  const args = [...words, join(import.meta.dirname, 'paced.lua'), kind, String(port), idsFile, ...numbers];
  const output = await runProgram('paced.lua', program, args, { abort });
  return output
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').map(Number))
    .map((slice) => ({
      count: slice.length,
      p50: percentile(slice, 0.5),
      p99: percentile(slice, 0.99),
    }));
}

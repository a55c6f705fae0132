/** A Pod, as far as its sidecar can tell: a network namespace with nobody else's connections in it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Sidecar, startSidecar } from '../../test/support/sidecar.ts';
import type { NginxLine } from '../nginx.ts';
import { answerAll } from './child.ts';
import { anonymousBytes, pssBytes, residentBytes } from './process-use.ts';

// It looks at the connections once a second.
const LOOKS = 5;
const CALLS = 200;

/** Bytes, of all its processes. */
export interface SidecarMemory {
  /** With the pages of programs and libraries, which all sidecars of a node share, and for each process anew. */
  resident: number;
  /** The same, with each page divided by the number of processes on the machine that share it. */
  proportional: number;
  own: number;
}

let sidecar: Sidecar | undefined;

/** Answers with what a sidecar at work takes. */
async function measure(line: NginxLine): Promise<SidecarMemory> {
  sidecar = await startSidecar({ line, engine: undefined, env: { SPAWNER_APPLICATION_PORT: '8080' } });
  for (let call = 0; call < CALLS; call++) {
    await sidecar.call();
    await sleep((LOOKS * 1_000) / CALLS);
  }
  const sum = (bytesOf: (pid: number) => number) =>
    (sidecar as Sidecar).pids.map(bytesOf).reduce((all, one) => all + one);
  return { resident: sum(residentBytes), proportional: sum(pssBytes), own: sum(anonymousBytes) };
}

answerAll(measure, async () => sidecar?.stop());

/** A Pod, as far as its sidecar can tell: a network namespace with nobody else's connections in it. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Sidecar, startSidecar } from '../../test/support/sidecar.ts';
import type { NginxLine } from '../nginx.ts';
import { answerAll } from './child.ts';
import { anonymousBytes, childrenOf, residentBytes } from './process-use.ts';

// It looks at the connections once a second.
const LOOKS = 5;
const CALLS = 200;

/** Bytes. */
export interface SidecarMemory {
  /** With the pages of programs and libraries, which all sidecars of a node share. */
  resident: number;
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
  const nginx = childrenOf(process.pid).find((pid) => commandOf(pid).includes('sidecar.conf')) as number;
  return { resident: residentBytes(nginx), own: anonymousBytes(nginx) };
}

answerAll(measure, async () => sidecar?.stop());

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
}

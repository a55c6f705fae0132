import { isLivingWorker } from './workers.ts';
import { lockZone } from './zones.ts';

const KEY = 'table';
const PAUSE_MS = 5;
const PATIENCE_MS = 2000;
// Long enough for every other worker that saw the same dead owner to have written its own name.
const TAKEOVER_MS = 50;

/**
 * Runs `work`, which must be synchronous, while no other worker writes to the table: a shared dict has no
 * compare-and-set, and a write must compare generations first. Undefined when the lock can't be had in time.
 */
export async function whileTableLocked<T>(work: () => T): Promise<T | undefined> {
  const zone = lockZone();
  const owner = newOwner();
  if (!(await acquire(zone, owner))) {
    return undefined;
  }
  try {
    return work();
  } finally {
    zone.delete(KEY);
  }
}

/** Runs `work` likewise if nobody else is writing at this moment; else does nothing. */
export function ifTableFree(work: () => void): void {
  const zone = lockZone();
  if (zone.add(KEY, newOwner())) {
    try {
      work();
    } finally {
      zone.delete(KEY);
    }
  }
}

/** The whole part says which process it is. */
function newOwner(): number {
  return process.pid + Math.random();
}

async function acquire(zone: NgxSharedDict<number>, owner: number): Promise<boolean> {
  for (let waited = 0; waited < PATIENCE_MS; waited += PAUSE_MS) {
    if (zone.add(KEY, owner)) {
      return true;
    }
    const holder = zone.get(KEY);
    if (holder !== undefined && !isLivingWorker(Math.floor(holder))) {
      zone.replace(KEY, owner);
      await pause(TAKEOVER_MS);
      if (zone.get(KEY) === owner) {
        return true;
      }
    }
    await pause(PAUSE_MS);
  }
  return false;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

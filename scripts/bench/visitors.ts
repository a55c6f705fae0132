import { startChild } from './child.ts';
import type { OnEnd } from './closing.ts';
import type { Period, Visits } from './visitor.ts';

export interface Visitors {
  /** Ends a period, and tells what came of the visits that were begun in it. Throws if any failed. */
  endPeriod(): Promise<Period>;
}

/** Visitors of sessions, from now on. */
export async function sendVisitors(onEnd: OnEnd, visits: Visits): Promise<Visitors> {
  const child = startChild<Visits | 'end', Period>(onEnd, 'visitor.ts');
  await child.ask(visits);
  return {
    async endPeriod() {
      const period = await child.ask('end');
      const { failed, latenciesMs } = period;
      if (failed > 0)
        throw new Error(`${failed} of ${failed + latenciesMs.length} visits were not answered 200`);
      return period;
    },
  };
}

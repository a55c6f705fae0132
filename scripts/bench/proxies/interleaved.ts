import type { Context } from '../suite.ts';
import { type Sample, type Series, seriesOf } from './figures.ts';

/** One thing to measure, as often as there are rounds. */
export interface Case {
  work: string;
  subject: string;
  measure(): Promise<Sample>;
}

/** Measures all in turn, again and again: what slows the machine for a while then slows none of them alone. */
export async function interleaved(
  cases: Case[],
  { rounds, abort, say }: Pick<Context, 'rounds' | 'abort' | 'say'>,
): Promise<Series[]> {
  const samples = cases.map((): Sample[] => []);
  for (let round = 1; round <= rounds; round++) {
    for (const [index, { work, subject, measure }] of cases.entries()) {
      abort.throwIfAborted();
      const sample = await measure().catch((error: Error) => {
        throw abort.aborted ? error : new Error(`${work}, ${subject}: ${error.message}`);
      });
      samples[index]?.push(sample);
      say(`${work}, round ${round} of ${rounds}: ${subject}: ${textOf(sample)}`);
    }
  }
  return cases.flatMap((one, index) => seriesOf(one, samples[index] ?? []));
}

function textOf(sample: Sample): string {
  return Object.entries(sample)
    .map(([metric, { value, unit }]) => `${metric} ${value.toFixed(1)} ${unit}`)
    .join(', ');
}

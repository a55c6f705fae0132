/** What `npm run bench` runs: suites, each of which measures some works of some subjects. */

/** One measured figure: the median of its rounds. */
export interface Row {
  /** What was done: `small GET`, `refill of 100,000 routes`. */
  work: string;
  /** What did it: `nginx, static keepalive`, `router, pooled`, `daemon`. */
  subject: string;
  /** `CPU per request`, `p99`, `resident`. */
  metric: string;
  /** `µs`, `ms`, `MB`, `KB`, `routes/s`, `%` (of one core). */
  unit: string;
  value: number;
  /** The lowest and the highest round. */
  range?: [low: number, high: number];
}

/** A figure to reach. */
export interface Goal {
  /** `small GET, against the static keepalive proxy`. */
  what: string;
  /** `×`, or a unit. */
  unit: string;
  most: number;
  /** Undefined if what it takes was not measured in this run. */
  measured: number | undefined;
}

export interface Result {
  rows: Row[];
  goals: Goal[];
}

export interface Context {
  /** One line of progress, on stderr. */
  say(line: string): void;
  /** A few seconds for each suite instead of minutes: to see that it runs, not for figures. */
  quick: boolean;
  /** How often each subject is measured, in turn with the others. */
  rounds: number;
  /** A scratch folder; removed at the end. */
  scratch: string;
  /** Aborted at an interrupt. */
  abort: AbortSignal;
}

export interface Suite {
  /** How it is named on the command line. */
  name: string;
  /** One line for `--help`. */
  about: string;
  run(context: Context): Promise<Result>;
}

/** On what a benchmark ran. */
import { cpus, release, totalmem } from 'node:os';
import { nginxFor } from '../nginx.ts';

export interface Machine {
  cores: number;
  /** As the processor names itself. */
  cpu: string;
  kernel: string;
  memoryGB: number;
}

/** What is common to all suites, by name. Subjects say their own versions. */
export type Versions = { [name: string]: string };

export function thisMachine(): Machine {
  const processors = cpus();
  return {
    cores: processors.length,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    kernel: `Linux ${release()}`,
    memoryGB: Math.round(totalmem() / 2 ** 30),
  };
}

export function versionsHere(): Versions {
  const of = (line: 'current' | 'stable') => {
    const { version, njs } = nginxFor(line);
    return `${version} with njs ${njs}`;
  };
  return { Node: process.versions.node, 'nginx (current)': of('current'), 'nginx (stable)': of('stable') };
}

/** docs/bench.md as a text. Pure. */
import type { Report } from './report.ts';
import { goalsTable, rowsTables } from './table.ts';

/** @param plot the path of the plot, from the page; undefined without one. */
export function pageOf(
  { command, rounds, machine, versions, suites }: Report,
  plot: string | undefined,
): string {
  const { cores, cpu, kernel, memoryGB } = machine;
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `# What the router and the daemon take

Measured by \`${command}\`, which wrote this page; it is not edited by hand. The machine: ${cores} cores of ${cpu}, ${memoryGB} GB, ${kernel}. ${programs.join('; ')}.

${plot ? `![CPU of a small GET through each proxy, against nginx with a static upstream](${plot})\n\n` : ''}## Goals

${goalsTable(suites.flatMap(({ goals }) => goals))}

${suites.map(sectionOf).join('\n\n')}

## How it is measured

${METHOD.replace('{{rounds}}', String(rounds))}`;
}

function sectionOf({ name, about, rows }: Report['suites'][number]): string {
  return `## Suite \`${name}\`\n\n${about.charAt(0).toUpperCase()}${about.slice(1)}.\n\n${rowsTables(rows).join('\n\n')}`;
}

const METHOD = `Everything runs on one machine and speaks over loopback, each program with one worker or thread. A figure is the median of {{rounds}} rounds, and in parentheses stand the lowest and the highest of them. In a round each subject is measured once, in turn with the others, so that a machine which is slower for a while is so for all of them; ratios are taken within rounds.

- **CPU per request** is what all processes of the proxy took while requests were served, user and system time together (\`schedstat\` of Linux, in nanoseconds), over their number. It hardly depends on what else the machine does; requests per second do, and they are limited by the load generator and the backend, which share the processors with the proxy.
- **The router** is what \`npm start\` runs, with one worker: its files are rendered by the same code, activity is counted, the sessions' backends are in the default range of ports. *Pooled* and *direct* say whether it keeps connections to backends; docs/nginx.md says when it does.
- **Other proxies** do the least that gets a request to its session: a look-up, and no more headers than they must. The static proxy does not even look up, but has a hash of the request's target choose among the same backends: it is the limit. nginx with Lua and HAProxy keep connections to backends, and are told to stream as the router does. Whether each reaches the right backends is looked at before it is measured.
- **Load**: 32 connections that stay open, a random one of 64 sessions for each request, by \`wrk\`. The backend is an nginx of one worker that listens on a port for each session.
- **Latency** is measured in separate runs, at a fixed rate: half of what the slowest of those compared can do. Requests are sent at random moments whatever became of those before, and a latency counts from the moment on that the request was to be sent at, so that a proxy which stalls is charged for all that waits meanwhile. Each fifth of a second gives percentiles of its own, of which the median counts: what else a machine does for a moment would be the 99th percentile otherwise.
- **CPU at a fixed rate** is taken in the same runs as latency. A proxy that is asked for all it can do pays for more than its own work when it is slow: whoever waits for it has fallen asleep, and must be woken for each request. At a fixed rate this is alike for all.
- **Routes**: at one backend. One route is visited while others are just there, or all of them at random: then hardly anything that a look-up reads is in the processor's caches.
- **WebSockets**: 32, to an app that echoes (Node with \`ws\`). A message of 64 bytes goes out when the one before came back. *Opened and closed* is the whole life of a WebSocket without messages.
- **Sidecar**: after 5 s and 200 calls, in a network of its own, the sum of its two processes: nginx, and the shell that its container begins with. What is resident is counted in each process as if it were alone; PSS divides what is shared among all that run on the machine meanwhile, so it depends on those.
`;

/** What a proxy is asked to do, and what is measured of it. */
import type { Sample } from './figures.ts';
import { visit } from './load/wrk.ts';
import type { RunningProxy } from './peers/peer.ts';
import { childrenOf, cpuSeconds } from './process-use.ts';

export interface Load {
  /** Files with ids: load/wrk.ts. */
  idsFile: string;
  abort: AbortSignal;
  quick: boolean;
}

export interface Work {
  /** For the command line. */
  name: string;
  /** For tables. */
  title: string;
  measure(proxy: RunningProxy, load: Load): Promise<Sample>;
}

export const WORKS: Work[] = [
  visiting('small-get', 'small GET', '', 0),
  visiting('get-10k', 'GET of 10 KB', '10k', 0),
  visiting('get-1m', 'GET of 1 MB', '1m', 0),
  visiting('upload-1m', 'POST of 1 MB', 'upload', 1024 * 1024),
];

function visiting(name: string, title: string, path: string, bodyBytes: number): Work {
  return {
    name,
    title,
    async measure(proxy, { idsFile, abort, quick }) {
      const visits = { port: proxy.port, idsFile, path, bodyBytes };
      const before = cpuMicroseconds(proxy);
      const { requests, seconds } = await visit(visits, { abort, milliseconds: quick ? 300 : 1500 });
      return {
        'CPU per request': { value: (cpuMicroseconds(proxy) - before) / requests, unit: 'µs' },
        throughput: { value: requests / seconds, unit: 'requests/s' },
      };
    },
  };
}

/** Of all its processes. */
function cpuMicroseconds({ pid }: RunningProxy): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + cpuSeconds(one), 0) * 1e6;
}

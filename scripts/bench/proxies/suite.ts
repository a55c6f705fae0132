/** The suite `proxies`: what requests and WebSockets cost our router, other proxies, and one that looks nothing up. */
import type { Context, Row, Suite } from '../suite.ts';
import { COMPARISONS, compareProxies } from './comparison.ts';
import { compared, rowOf, type Series } from './figures.ts';
import { goalOf, type Target } from './goals.ts';
import { RATIO, SMALL_GET } from './names.ts';
import { PEER_NAMES, peersHere } from './peers/all.ts';
import { backendsWork, idleRoutesWork, measureBackends, measureRoutes, routesWork } from './scale.ts';

const SCALES: { [name: string]: (context: Context) => Promise<Series[]> } = {
  routes: measureRoutes,
  backends: measureBackends,
};

export const WORK_NAMES = [...Object.keys(COMPARISONS), ...Object.keys(SCALES)];
export const SUBJECT_NAMES = PEER_NAMES;

/** A suite of some works and subjects. */
export function proxies(works: string[] = WORK_NAMES, subjects: string[] = SUBJECT_NAMES): Suite {
  return {
    name: 'proxies',
    about: 'CPU and latency of requests through the router, through other proxies and through a static one',
    async run(context) {
      const peers = await peersHere(subjects, context.abort, context.say);
      const series: Series[] = [];
      if (works.some((name) => name in COMPARISONS)) {
        series.push(...(await compareProxies(works, peers, context)));
      }
      for (const [name, measure] of Object.entries(SCALES)) {
        if (works.includes(name) && subjects.includes('pooled')) series.push(...(await measure(context)));
      }
      const titles = Object.fromEntries(peers.map(({ name, title }) => [name, title]));
      return {
        rows: [...series.map(rowOf), ...ratioRows(series, titles.static)],
        goals: targets(titles).map((target) => goalOf(series, target)),
      };
    },
  };
}

/** What CPU each takes against the static proxy. */
function ratioRows(series: Series[], reference: string | undefined): Row[] {
  return series.flatMap((one) => {
    const other = series.find(
      ({ work, subject, metric }) => work === one.work && subject === reference && metric === one.metric,
    );
    const values = one.metric.startsWith('CPU') ? compared(one, other, (a, b) => a / b) : undefined;
    return values ? [rowOf({ ...one, metric: RATIO, unit: '×', values })] : [];
  });
}

function targets(titles: { [name: string]: string }): Target[] {
  const { pooled } = titles;
  const against = (name: string, most: number): Target => ({
    what: `${SMALL_GET}, CPU per request against ${titles[name] ?? name}`,
    most,
    unit: '×',
    metric: 'CPU per request',
    one: { work: SMALL_GET, subject: pooled },
    other: { work: SMALL_GET, subject: titles[name] },
  });
  const growing = (what: string, work: string, from: string, most: number): Target => ({
    what: `${SMALL_GET}, CPU per request at ${what}`,
    most,
    unit: '×',
    metric: 'CPU per request',
    one: { work, subject: pooled },
    other: { work: from, subject: pooled },
  });
  return [
    against('static', 1.15),
    against('lua', 0.95),
    against('haproxy', 1.15),
    against('chp', 0.08),
    growing('100,000 routes against 1, one visited', idleRoutesWork(100_000), routesWork(1), 1.03),
    growing('100,000 routes against 1, all visited at random', routesWork(100_000), routesWork(1), 1.03),
    growing('1,000 backends against 1', backendsWork(1000), backendsWork(1), 1.1),
    {
      ...against('static', 1.02),
      what: 'WebSocket echo, CPU per message against the static proxy',
      metric: 'CPU per message',
      one: { work: COMPARISONS['websocket-echo'], subject: pooled },
      other: { work: COMPARISONS['websocket-echo'], subject: titles.static },
    },
    {
      what: `${COMPARISONS.latency}, p99 latency added to the static proxy`,
      most: 100,
      unit: 'µs',
      metric: 'p99 latency',
      one: { work: COMPARISONS.latency, subject: pooled },
      other: { work: COMPARISONS.latency, subject: titles.static },
    },
  ];
}

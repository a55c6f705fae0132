import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RouterStatus } from './routers/routers.ts';
import type { EndReason, Failure, SessionState } from './session.ts';

/** What the parts of the daemon report; the names of the series are in docs/operating.md. */
export interface Metrics {
  initAnswered(seconds: number, outcome: string): void;
  started(seconds: number): void;
  failed(code: Failure['code']): void;
  reaped(reason: EndReason): void;
  routerFilled(seconds: number): void;
  statusMissed(): void;
  /** A call of the Kubernetes API was answered, or was not: `code` is `none` then. */
  clusterCalled(call: { method: string; resource: string; code: string }): void;
  /** In Prometheus' text format, and its content type. */
  read(): Promise<{ text: string; contentType: string }>;
}

export interface MetricsSources {
  sessionsByState: () => Record<SessionState, number>;
  routers: () => RouterStatus[];
}

const LATENCY_BUCKETS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

export function createMetrics(sources: MetricsSources): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });

  const init = new Histogram({
    name: 'spawner_init_duration_seconds',
    help: 'From the request of POST /init to its answer, by outcome: ok or the code of the error.',
    labelNames: ['outcome'],
    buckets: LATENCY_BUCKETS,
    registers,
  });
  const start = new Histogram({
    name: 'spawner_session_start_duration_seconds',
    help: 'From the creation of a session to the moment its app is served.',
    buckets: [...LATENCY_BUCKETS, 20, 60, 120],
    registers,
  });
  const failures = new Counter({
    name: 'spawner_session_failures_total',
    help: 'Sessions that failed, by the code of the failure.',
    labelNames: ['code'],
    registers,
  });
  const reaps = new Counter({
    name: 'spawner_reaps_total',
    help: 'Sessions that were reaped, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const fills = new Histogram({
    name: 'spawner_router_fill_duration_seconds',
    help: 'Time to bring the whole table of a new, emptied or returned router in line.',
    // Without the router's address: in a cluster each new Pod has another one, and a histogram forgets none.
    buckets: LATENCY_BUCKETS,
    registers,
  });
  const misses = new Counter({
    name: 'spawner_status_misses_total',
    help: 'Status reads that failed.',
    registers,
  });
  const calls = new Counter({
    name: 'spawner_kubernetes_requests_total',
    help: 'Calls of the Kubernetes API but for watches, by HTTP method, resource and status.',
    labelNames: ['method', 'resource', 'code'],
    registers,
  });
  new Gauge({
    name: 'spawner_sessions',
    help: 'Sessions by state; ended ones as long as they are remembered.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const [state, count] of Object.entries(sources.sessionsByState())) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'spawner_router_up',
    help: '1 if the router answers and holds the whole table.',
    labelNames: ['router'],
    registers,
    collect() {
      this.reset(); // routers that went are shown no more
      for (const { address, state } of sources.routers())
        this.set({ router: address }, state === 'live' ? 1 : 0);
    },
  });
  const zoneGauge = (
    name: string,
    help: string,
    read: (zone: { bytes: number; freeBytes: number }) => number,
  ) =>
    new Gauge({
      name,
      help,
      labelNames: ['router', 'zone'],
      registers,
      collect() {
        this.reset();
        for (const { address, health } of sources.routers()) {
          for (const [zone, size] of Object.entries(health?.zones ?? {})) {
            this.set({ router: address, zone }, read(size));
          }
        }
      },
    });
  zoneGauge('spawner_router_zone_bytes', 'Size of a shared dict of the router.', (zone) => zone.bytes);
  zoneGauge(
    'spawner_router_zone_free_bytes',
    'Whole free pages of the shared dict; entries may still fit into started ones.',
    (zone) => zone.freeBytes,
  );

  return {
    initAnswered: (seconds, outcome) => init.observe({ outcome }, seconds),
    started: (seconds) => start.observe(seconds),
    failed: (code) => failures.inc({ code }),
    reaped: (reason) => reaps.inc({ reason }),
    routerFilled: (seconds) => fills.observe(seconds),
    statusMissed: () => misses.inc(),
    clusterCalled: ({ method, resource, code }) => calls.inc({ method, resource, code }),
    read: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
  };
}

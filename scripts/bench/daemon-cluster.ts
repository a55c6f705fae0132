/** A daemon on a real API server, with as many sessions as asked for: real Pods, whose kubelet and apps are played. */
import { SIDECAR_PORT } from '../../daemon/runtime/kubernetes/names.ts';
import { type Daemon, startDaemon } from '../../test/support/daemon.ts';
import { type KubeApi, startKubeApi } from '../../test/support/kube-api.ts';
import { until } from '../../test/support/poll.ts';
import { reservePorts } from '../../test/support/ports.ts';
import { type Router, startRouter } from '../../test/support/router.ts';
import { startChild } from './child.ts';
import type { OnEnd } from './closing.ts';
import type { Played } from './daemon-kubelet.ts';

const WITHIN_SECONDS = 300;

export interface Cluster {
  router: Router;
  /** Starts the daemon, anew if it runs, and waits until it is ready. */
  startDaemon(flags: string[]): Promise<Daemon>;
}

/** @param program what Node runs as the daemon */
export async function startCluster(onEnd: OnEnd, sessions: number, program: string[]): Promise<Cluster> {
  const kube = await startKubeApi();
  onEnd(kube.stop);
  const namespace = await kube.namespace();
  await startChild<Played, true>(onEnd, 'daemon-kubelet.ts').ask({ kubeconfig: kube.kubeconfig, namespace });
  const ports = await reservePorts();
  onEnd(ports.release);
  const port = ports.first;
  await startChild<number[], true>(onEnd, 'daemon-apps.ts').ask([port, SIDECAR_PORT]);
  const zone = `${Math.ceil(sessions / 1_000) + 1}m`;
  const router = await startRouter({
    line: 'current',
    router: { backends: [`127.0.0.0/8:${port}`], routesZoneSize: zone, activityZoneSize: zone },
  });
  onEnd(router.stop);
  const placed = [
    ...['--router', `unix:${router.adminAddress}`, '--namespace', namespace],
    ...['--application-image', 'played:1', '--application-port', String(port)],
    ...['--max-sessions', String(sessions)],
  ];
  let daemon: Daemon | undefined;
  onEnd(() => daemon?.end('SIGKILL'));
  return {
    router,
    async startDaemon(flags) {
      await daemon?.end('SIGTERM');
      const started = await startDaemon([...placed, ...flags], environment(kube), program);
      daemon = started;
      await until(
        'the daemon to be ready',
        async () => (await started.api('GET', '/readyz')).status === 200,
        WITHIN_SECONDS,
      );
      return started;
    },
  };
}

function environment({ kubeconfig }: KubeApi): Record<string, string> {
  return { KUBECONFIG: kubeconfig };
}

/** Waits until so many sessions are ready. */
export async function untilReady(daemon: Daemon, sessions: number): Promise<void> {
  await until(
    `${sessions} sessions to be ready`,
    async () => (await readMetric(daemon, 'spawner_sessions{state="ready"}')) === sessions,
    WITHIN_SECONDS,
  );
}

/** @param name as `GET /metrics` writes it, labels included */
export async function readMetric({ api }: Daemon, name: string): Promise<number> {
  const { body } = await api('GET', '/metrics');
  const line = body.split('\n').find((text) => text.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}

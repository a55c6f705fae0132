import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import type { Address } from '../../support/http.ts';
import { until } from '../../support/poll.ts';
import { isOwnCluster, kubectlProgram, theCluster } from './cluster.ts';

/** Something in the cluster that listens. */
export interface Target {
  namespace: string;
  kind: 'pod' | 'service';
  name: string;
  /** Of the Pod or the Service. */
  port: number;
}

/**
 * Where a test reaches it as long as the test runs; resolves once somebody listens there. In another cluster than our
 * own that is a port of this machine, forwarded to one Pod: it ends with that Pod.
 */
export async function reach(t: ExecutionContext, target: Target): Promise<Address> {
  if (!isOwnCluster) return forward(t, target);
  const [host, { port }] = [await ipOf(target), target];
  // A Service's rules follow its Pods with a delay.
  await until(`${target.kind} ${target.name} to accept connections`, () => accepts(host, port), 30);
  return `${host}:${port}`;
}

async function ipOf({ namespace, kind, name }: Target): Promise<string> {
  const { core } = theCluster();
  const ip =
    kind === 'pod'
      ? (await core.readNamespacedPod({ name, namespace })).status?.podIP
      : (await core.readNamespacedService({ name, namespace })).spec?.clusterIP;
  if (!ip) throw new Error(`${kind} ${namespace}/${name} has no address`);
  return ip;
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const settle = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}

async function forward(t: ExecutionContext, { namespace, kind, name, port }: Target): Promise<Address> {
  const child = spawn(
    kubectlProgram,
    ['--namespace', namespace, 'port-forward', `${kind}/${name}`, `:${port}`],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  t.teardown(() => child.kill());
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  return new Promise((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const address = /^Forwarding from (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (address) resolve(address);
    });
    child.once('error', reject);
    child.once('exit', () =>
      reject(new Error(`no way to ${kind} ${namespace}/${name}: ${complaint.trim()}`)),
    );
  });
}

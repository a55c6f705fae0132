import { kubectl } from './cluster.ts';

const lines = 80;

/** For a failing test: the namespace's Pods and events, and the last lines that each container wrote. */
export async function dump(namespace: string): Promise<string> {
  const look = (...args: string[]) => kubectl('--namespace', namespace, ...args).catch(String);
  const pods = (await look('get', 'pods', '--output', 'name'))
    .split('\n')
    .filter((line) => line.startsWith('pod/'));
  const logs = pods.map(async (pod) => {
    const now = await look('logs', pod, '--all-containers', '--prefix', `--tail=${lines}`);
    return `--- logs of ${namespace}/${pod}\n${now}`;
  });
  const parts = await Promise.all([
    look('get', 'all,endpoints', '--output', 'wide'),
    look('describe', 'pods'),
    look('get', 'events', '--sort-by', '.lastTimestamp'),
    ...logs,
  ]);
  return `=== namespace ${namespace}\n${parts.join('\n')}`;
}

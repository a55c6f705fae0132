import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../../scripts/nginx.ts';
import { imageRef, kubectl, theCluster } from './cluster.ts';
import { dump } from './dump.ts';

const namespaces = ['spawner', 'spawner-sessions'];
const images = ['spawner-daemon', 'spawner-router'];

/** Spawner as deploy/ installs it, in its namespaces `spawner` and `spawner-sessions`. */
export interface Installation {
  apiToken: string;
  routerToken: string;
  /** Applies the manifests anew with these settings, such as `{ SPAWNER_IDLE_TIMEOUT: '5s' }`, and waits for the result. */
  apply(settings: Record<string, string>): Promise<void>;
  /** For a failing test: all that happened in both namespaces. */
  dump(): Promise<string>;
  /** Takes both namespaces away, with all that is in them. */
  remove(): Promise<void>;
}

/**
 * Makes the Secret as an operator does, applies deploy/ and waits until daemon and routers are Ready.
 * @param routerTag of another image of the router than the usual
 */
export async function install(settings: Record<string, string>, routerTag?: string): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), 'spawner-deploy-'));
  await cp(join(root, 'deploy'), folder, { recursive: true });
  const original = withRouterTag(await readFile(join(folder, 'kustomization.yaml'), 'utf8'), routerTag);
  const [apiToken, routerToken] = [randomBytes(24).toString('hex'), randomBytes(24).toString('hex')];
  const both = async () => (await Promise.all(namespaces.map(dump))).join('\n');
  const apply = async (changed: Record<string, string>) => {
    await writeFile(join(folder, 'kustomization.yaml'), withSettings(original, changed));
    await kubectl('apply', '-k', folder);
    for (const name of images) {
      // The routers wait for the daemon to fill them.
      const rollout = ['rollout', 'status', `deployment/${name}`, '--namespace=spawner', '--timeout=90s'];
      await kubectl(...rollout).catch(async (error) => {
        throw new Error(`${error.message}\n${await both()}`);
      });
    }
  };
  const remove = async () => {
    await rm(folder, { recursive: true, force: true });
    // Routers may take minutes to end, and a namespace that goes waits as long before it looks again.
    for (const namespace of namespaces) {
      const all = ['--all', '--namespace', namespace];
      await kubectl('delete', 'deployments,replicasets', '--cascade=orphan', ...all);
      await kubectl('delete', 'pods', '--force', '--grace-period=0', ...all);
    }
    await kubectl('delete', 'namespace', ...namespaces, '--ignore-not-found', '--timeout=120s');
  };

  try {
    await kubectl('apply', '-f', join(folder, 'namespaces.yaml'));
    const { core } = theCluster();
    const tokenSecret = randomBytes(24).toString('hex');
    const stringData = {
      'api-token': apiToken,
      'router-token': routerToken,
      'token-secret': tokenSecret,
    };
    await core.createNamespacedSecret({
      namespace: 'spawner',
      body: { metadata: { name: 'spawner-tokens' }, stringData },
    });
    await apply(settings);
  } catch (error) {
    await remove();
    throw error;
  }
  return { apiToken, routerToken, apply, dump: both, remove };
}

function withRouterTag(kustomization: string, tag: string | undefined): string {
  if (tag === undefined) return kustomization;
  return replaced(kustomization, /(?<=- name: spawner-router\n +newTag: ).*/, tag);
}

function replaced(kustomization: string, line: RegExp, by: string): string {
  if (!line.test(kustomization)) throw new Error(`deploy/kustomization.yaml has no line like ${line}`);
  return kustomization.replace(line, by);
}

/** The kustomization with other values of its settings, and images where the cluster finds them. */
function withSettings(kustomization: string, settings: Record<string, string>): string {
  let text = kustomization;
  const replace = (line: RegExp, by: string) => {
    text = replaced(text, line, by);
  };
  for (const name of images)
    replace(new RegExp(`- name: ${name}\n(?= +newTag)`), `- name: ${name}\n    newName: ${imageRef(name)}\n`);
  for (const name of ['SPAWNER_APPLICATION_IMAGE', 'SPAWNER_SIDECAR_IMAGE']) {
    replace(new RegExp(`- ${name}=(.*)`), `- ${name}=${imageRef('$1')}`);
  }
  for (const [name, value] of Object.entries(settings)) {
    const line = new RegExp(`(?<=^ +)- ${name}=.*`, 'm');
    // A flag that the file does not have, or as a comment only, is another line of the daemon's.
    if (line.test(text)) replace(line, `- ${name}=${value}`);
    else replace(/- SPAWNER_LOG_LEVEL=.*/, `$&\n      - ${name}=${value}`);
  }
  return text;
}

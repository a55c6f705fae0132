import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runFolder } from '../../../scripts/cluster/places.ts';
import { until } from '../../support/poll.ts';
import { theCluster } from './cluster.ts';
import { resume, stop } from './node-programs.ts';

/** Takes the API server of our own cluster away; connections to it are refused until `startApiServer`. */
export async function stopApiServer(): Promise<void> {
  await stop('api_server');
  await until('the API server to be away', async () => !(await answers()));
}

export async function startApiServer(): Promise<void> {
  await resume('api_server');
  await until('the API server to answer again', answers, 60);
}

async function answers(): Promise<boolean> {
  const asked = theCluster().core.listNode();
  return asked.then(
    () => true,
    () => false,
  );
}

/** A request, as far as rights are concerned. */
export interface Audited {
  at: Date;
  /** The service account's name. */
  account: string;
  /** By the roles that it has; what is allowed may still be refused for another reason. */
  allowed: boolean;
  verb: string;
  /** Such as `pods` or `pods/log`. */
  resource: string;
  namespace: string;
  /** HTTP status. */
  code: number;
}

// Kubernetes 1.20 writes both stages of a watch down when it ends.
const stages = ['ResponseStarted', 'ResponseComplete'];

/** All requests so far of service accounts in the namespace `spawner`, of our own cluster. */
export async function auditLog(): Promise<Audited[]> {
  const text = await readFile(join(runFolder, 'audit.log'), 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .filter(({ stage, objectRef }) => stages.includes(stage) && objectRef)
    .map(({ requestReceivedTimestamp, user, annotations, verb, objectRef, responseStatus }) => ({
      at: new Date(requestReceivedTimestamp),
      account: user.username.split(':').at(-1),
      allowed: annotations?.['authorization.k8s.io/decision'] === 'allow',
      verb,
      resource: objectRef.subresource ? `${objectRef.resource}/${objectRef.subresource}` : objectRef.resource,
      namespace: objectRef.namespace ?? '',
      code: responseStatus.code,
    }));
}

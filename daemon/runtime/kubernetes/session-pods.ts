/** The Pods of sessions, followed: by the watch, and by asking where the watch may have gone silent. */
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { every } from '../../every.ts';
import { describeApiError, isStatus } from '../../kubernetes/api-error.ts';
import type { Connection } from '../../kubernetes/connection.ts';
import { createWatched } from '../../kubernetes/watched.ts';
import { keptPod } from './kept-pod.ts';
import { objectName, SESSION_LABEL } from './names.ts';
import { ownedSession } from './owned-session.ts';

// A Pod that is on its way tells something more often than this; if not, the watch may have gone silent.
const SILENT_MS = 5_000;
// A kubelet that ends a Pod may say nothing for long; the watch itself is cut after so long a silence.
const ENDING_SILENT_MS = 30_000;

export interface SessionPods {
  /** Resolves when all of them are known. @param waiting told why that takes longer */
  start(waiting: (reason: string) => void): Promise<void>;
  /** The session's Pod, and never a stranger of its name. It may have lost its marks: see `ownedSession`. */
  get(id: string): V1Pod | undefined;
  /** Those of sessions; strangers that carry our label, and what lost its marks, are left out. */
  all(): V1Pod[];
  /** Asks the API server; undefined if there is no such Pod of ours. */
  read(id: string): Promise<V1Pod | undefined>;
  /** Takes in what the API server says of the session's Pod now. */
  refresh(id: string): Promise<void>;
  /** Takes in what a call has answered. */
  put(pod: V1Pod): void;
  /** Resolves when this very Pod is not there any more. */
  whenGone(pod: V1Pod): Promise<void>;
  /** False from the moment the watch broke until the next whole list. */
  isFresh(): boolean;
  close(): void;
}

export interface SessionPodsParts {
  connection: Connection;
  namespace: string;
  /** Whether news of the Pod are expected soon. */
  isOnItsWay: (pod: V1Pod) => boolean;
  /** Called with a session's id after its Pod came, changed or went. */
  changed: (id: string) => void;
  log: Logger;
}

export function createSessionPods(parts: SessionPodsParts): SessionPods {
  const { namespace, changed, log } = parts;
  const { api, kubeConfig } = parts.connection;
  const heardAt = new Map<string, number>();
  // By name, as last seen. Who had our marks once is ours to end, also if somebody takes them away.
  const ours = new Map<string, V1Pod>();
  const events = new EventEmitter().setMaxListeners(0);
  let stopAsking = () => {};

  const watched = createWatched<V1Pod>({
    list: (page) => api.listNamespacedPod({ namespace, labelSelector: SESSION_LABEL, ...page }),
    path: `/api/v1/namespaces/${namespace}/pods`,
    kubeConfig,
    keep: keptPod,
    labelSelector: SESSION_LABEL,
    changed: heard,
    log,
  });

  function heard(name: string): void {
    const pod = watched.get(name);
    const isNew = !heardAt.has(name);
    if (pod) heardAt.set(name, performance.now());
    else heardAt.delete(name);
    events.emit(name);
    const known = ours.get(name);
    if (ifOurs(pod)) take(name, pod as V1Pod);
    // What has only lost its label looks gone, too: see `askAfterVanished`.
    else if (pod || known?.metadata?.deletionTimestamp) ours.delete(name);
    if (!pod || known || ours.has(name)) changed(name.slice(objectName('').length));
    else if (isNew) log.warn({ pod: name, namespace }, 'foreign Pod left alone');
  }

  function take(name: string, pod: V1Pod): void {
    const known = ours.get(name);
    ours.set(name, pod);
    if (known && ownedSession(known) && !ownedSession(pod)) {
      log.warn({ pod: name, namespace }, "a session's Pod has lost its label or annotation: it is ended");
    }
  }

  function isKnown({ metadata: { name = '', uid } = {} }: V1Pod): boolean {
    return ours.get(name)?.metadata?.uid === uid;
  }

  function ifOurs(pod: V1Pod | undefined): V1Pod | undefined {
    return pod && (ownedSession(pod) || isKnown(pod)) ? pod : undefined;
  }

  function all(): V1Pod[] {
    return watched.all().filter(ownedSession);
  }

  async function read(name: string): Promise<V1Pod | undefined> {
    try {
      return await api.readNamespacedPod({ name, namespace });
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  async function askIfSilent(name: string, silentMs: number): Promise<void> {
    if (performance.now() - (heardAt.get(name) ?? 0) >= silentMs) await ask(name);
  }

  async function ask(name: string): Promise<void> {
    const known = watched.get(name);
    const found = await read(name);
    if (found) return watched.put(found);
    ours.delete(name);
    if (known) watched.drop(name, known.metadata?.uid);
  }

  async function askAfterSilent(): Promise<void> {
    const names = all()
      .filter(parts.isOnItsWay)
      .map(({ metadata }) => metadata?.name ?? '');
    await Promise.all(names.map((name) => askIfSilent(name, SILENT_MS)));
  }

  async function askAfterVanished(): Promise<void> {
    const names = [...ours.keys()].filter((name) => !watched.get(name));
    await Promise.all(names.map(ask));
  }

  return {
    async start(waiting) {
      await watched.start(waiting);
      stopAsking = every(
        SILENT_MS,
        async () => {
          await Promise.all([askAfterSilent(), askAfterVanished()]);
        },
        (error) => log.debug({ reason: describeApiError(error) }, 'Pods could not be asked about'),
      );
    },
    get: (id) => ifOurs(watched.get(objectName(id))),
    all,
    read: async (id) => ifOurs(await read(objectName(id))),
    refresh: (id) => ask(objectName(id)),
    put: watched.put,
    async whenGone({ metadata: { name = '', uid } = {} }) {
      while (watched.get(name)?.metadata?.uid === uid) {
        const told = Promise.withResolvers<void>();
        events.once(name, told.resolve);
        await Promise.race([told.promise, sleep(ENDING_SILENT_MS, undefined, { ref: false })]);
        events.off(name, told.resolve);
        await askIfSilent(name, ENDING_SILENT_MS).catch(() => {}); // the API is away: asked again
      }
    },
    isFresh: watched.isFresh,
    close() {
      stopAsking();
      watched.close();
    },
  };
}

/**
 * A copy of one kind of the cluster's objects that follows them. The client's informer ends for good at any error but
 * 410, so each one is watched over: it is replaced by a new one, with a new list, after a pause that doubles. A watch
 * that has gone silent is cut by the client after 30 s and goes on where it was (kubernetes-client/javascript 2.0.1,
 * watch.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  ListWatch,
  Watch,
} from '@kubernetes/client-node';
import type { Logger } from 'pino';
import { describeApiError } from './api-error.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const PAGE = 500;
// One that has lasted so long was no failure from the start.
const STEADY_MS = 10_000;

export interface Watched<T> {
  /** Resolves with the first whole list; tries again until then, and tells why it has to. */
  start(waiting?: (reason: string) => void): Promise<void>;
  get(name: string): T | undefined;
  all(): T[];
  /**
   * Takes in what an API call answered, which the watch may tell of later. Older versions change nothing. The object
   * itself is remembered, and loses what is not to be kept of it.
   */
  put(object: T): void;
  /** The object is gone, as an API call said. Another one of the same name stays. */
  drop(name: string, uid: string | undefined): void;
  /** False from the moment the watch broke until the next whole list. */
  isFresh(): boolean;
  close(): void;
}

export interface ListPage {
  limit: number;
  /** Where the page before ended. */
  _continue?: string;
}

export interface WatchedParts<T extends KubernetesObject> {
  /** Asks for a page of all: what it is given are parameters of the API's list calls. */
  list: (page: ListPage) => Promise<KubernetesListObject<T>>;
  /** Of the collection: `/api/v1/namespaces/…/pods`. */
  path: string;
  kubeConfig: KubeConfig;
  /** Makes anew the fields that are large, with what is to be remembered of them. If absent, all is. */
  keep?: (object: T) => T;
  labelSelector?: string;
  fieldSelector?: string;
  /** Called after an object of this name came, changed or went. */
  changed: (name: string) => void;
  log: Logger;
}

export function createWatched<T extends KubernetesObject>(parts: WatchedParts<T>): Watched<T> {
  const { path, keep = (object) => object, changed, log } = parts;
  const objects = new Map<string, T>();
  const firstList = Promise.withResolvers<void>();
  let everListed = false;
  const closing = new AbortController();
  let fresh = false;
  let reported = false;

  function put(object: T): void {
    const name = nameOf(object);
    const known = objects.get(name);
    if (!known || isNewer(object, known)) take(name, object);
  }

  function take(name: string, object: T): void {
    objects.set(name, object);
    changed(name);
  }

  function drop(name: string, uid: string | undefined): void {
    if (uid !== undefined && objects.get(name)?.metadata?.uid !== uid) return;
    if (objects.delete(name)) changed(name);
  }

  async function list(): Promise<KubernetesListObject<T>> {
    const before = new Map(objects);
    const listed = await listAll();
    const names = new Set(listed.items.map(nameOf));
    for (const [name, object] of before) {
      if (!names.has(name)) drop(name, object.metadata?.uid);
    }
    // What was known before the list is older, whatever its version: a restored cluster counts from where it was.
    for (const object of listed.items) {
      const name = nameOf(object);
      const known = objects.get(name);
      if (known === undefined || known !== before.get(name)) put(object);
      else if (!isSame(object, known)) take(name, object);
    }
    fresh = true;
    everListed = true;
    if (reported) log.info({ path }, 'watch is back');
    reported = false;
    firstList.resolve();
    return listed;
  }

  /** Page by page, each of which is made small at once: thousands of objects take several times their memory before. */
  async function listAll(): Promise<KubernetesListObject<T>> {
    const items: T[] = [];
    for (let page: ListPage = { limit: PAGE }; ; ) {
      const listed = await parts.list(page);
      items.push(...listed.items.map(slim));
      const next = listed.metadata?._continue;
      if (!next) return { ...listed, items };
      page = { limit: PAGE, _continue: next };
    }
  }

  /** In place, for the client's informer remembers the very object that it tells of. */
  function slim(object: T): T {
    return Object.assign(object, keep(object));
  }

  /** Follows the objects until the watch fails. */
  async function follow(): Promise<Error> {
    const failed = Promise.withResolvers<Error>();
    const { kubeConfig, labelSelector, fieldSelector } = parts;
    const watch = new Watch(kubeConfig);
    const informer = new ListWatch<T>(path, watch, list, false, labelSelector, fieldSelector);
    informer.on('add', (object) => put(slim(object)));
    informer.on('update', (object) => put(slim(object)));
    informer.on('delete', (object) => drop(nameOf(object), object.metadata?.uid));
    informer.on('error', (error: Error) => failed.resolve(error));
    const stop = () => failed.resolve(new Error('closed'));
    closing.signal.addEventListener('abort', stop);
    informer.start().catch(failed.resolve);
    const error = await failed.promise;
    closing.signal.removeEventListener('abort', stop);
    await informer.stop();
    return error;
  }

  async function followForEver(waiting: (reason: string) => void): Promise<void> {
    let failures = 0;
    while (!closing.signal.aborted) {
      const since = performance.now();
      const error = await follow();
      fresh = false;
      if (closing.signal.aborted) return;
      const reason = describeApiError(error);
      if (!everListed) waiting(reason);
      // The same trouble is told once.
      if (!reported) log.warn({ path, reason }, 'watch broke');
      reported = true;
      if (performance.now() - since > STEADY_MS) failures = 0;
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
      failures += 1;
      // Daemons that lost the same API server do not come back to it at the same moment.
      await sleep(pause * (0.5 + Math.random() / 2), undefined, { ref: false });
    }
  }

  return {
    start(waiting = () => {}) {
      void followForEver(waiting);
      return firstList.promise;
    },
    get: (name) => objects.get(name),
    all: () => [...objects.values()],
    put: (object) => put(slim(object)),
    drop,
    isFresh: () => fresh,
    close: () => closing.abort(),
  };
}

function nameOf(object: KubernetesObject): string {
  return object.metadata?.name ?? '';
}

function isSame({ metadata: one }: KubernetesObject, { metadata: other }: KubernetesObject): boolean {
  return one?.uid === other?.uid && one?.resourceVersion === other?.resourceVersion;
}

/** Of one kind of object, versions are numbers that grow: kubernetes/enhancements KEP-5504 says so for all of them. */
function isNewer(object: KubernetesObject, known: KubernetesObject): boolean {
  if (object.metadata?.uid !== known.metadata?.uid) return true;
  return Number(object.metadata?.resourceVersion) > Number(known.metadata?.resourceVersion);
}

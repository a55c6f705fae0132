import { EventEmitter } from 'node:events';
import { LRUCache } from 'lru-cache';
import { hasEnded, type Session, type SessionState } from './session.ts';

// How long, and how many, ended sessions can still be asked about.
const REMEMBER_MS = 10 * 60_000;
const REMEMBER_MOST = 10_000;

/** The sessions of this daemon: those that live, and for a while those that have ended. Forgotten with the process. */
export interface SessionStore {
  add(session: Session): void;
  get(id: string): Session | undefined;
  byIdempotencyKey(key: string): Session | undefined;
  /** Those that have not ended. */
  living(): Session[];
  /** The living that were ever ready, so that visitors may have come; they need not be ready now. */
  usable(): Session[];
  /** Oldest first, the ended ones too. */
  all(): Session[];
  /** Tells those who wait that the session changed; an ended one moves to the remembered. */
  changed(session: Session): void;
  /** Its `Idempotency-Key` may stand for another session from now on. */
  disown(session: Session): void;
  /** As if it had never been. */
  forget(session: Session): void;
  /** Resolves when `wanted` holds. */
  when(session: Session, wanted: (session: Session) => boolean): Promise<void>;
  countByState(): Record<SessionState, number>;
}

export function createSessionStore(): SessionStore {
  const living = new Map<string, Session>();
  const everReady = new Set<string>();
  const ended = new LRUCache<string, Session>({ max: REMEMBER_MOST, ttl: REMEMBER_MS });
  const keys = new Map<string, Session>();
  const events = new EventEmitter().setMaxListeners(0);

  function disown(session: Session): void {
    const key = session.idempotency?.key;
    // By now the key may stand for a younger session.
    if (key !== undefined && keys.get(key) === session) keys.delete(key);
  }

  function leave(session: Session): void {
    living.delete(session.id);
    everReady.delete(session.id);
    disown(session);
  }

  return {
    add(session) {
      living.set(session.id, session);
      if (session.idempotency) keys.set(session.idempotency.key, session);
    },
    get: (id) => living.get(id) ?? ended.get(id),
    byIdempotencyKey: (key) => keys.get(key),
    living: () => [...living.values()],
    usable: () => [...living.values()].filter(({ id }) => everReady.has(id)),
    all: () => [...ended.values(), ...living.values()].sort(byAge),
    changed(session) {
      if (session.state === 'ready') everReady.add(session.id);
      if (hasEnded(session)) {
        leave(session);
        ended.set(session.id, session);
      }
      events.emit(session.id);
    },
    disown,
    forget(session) {
      leave(session);
      ended.delete(session.id);
      events.emit(session.id);
    },
    when(session, wanted) {
      return new Promise((resolve) => {
        const look = () => {
          if (!wanted(session)) return;
          events.off(session.id, look);
          resolve();
        };
        events.on(session.id, look);
        look();
      });
    },
    countByState() {
      const counts = { starting: 0, ready: 0, draining: 0, failed: 0, gone: 0 };
      for (const session of [...living.values(), ...ended.values()]) counts[session.state] += 1;
      return counts;
    },
  };
}

function byAge(a: Session, b: Session): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}

import type { Failure, OwnSpec, SessionSpec } from '../session.ts';

/** Where a session can be reached: addresses are `ip:port`. */
export interface Place {
  /** Its app. */
  backend: string;
  /** The sidecar that tells of its use, if it has one. */
  statusAddress?: string;
}

/** What a runtime knows of one session right now. */
export type Observation =
  | { phase: 'missing' }
  | {
      phase: 'starting';
      /** What is not there yet, for the sentence "After 60 s …". */
      lacks: string;
      /** Trouble that may pass; it is a failure once it has lasted for so long. */
      hurdle?: { failure: Omit<Failure, 'output'>; patienceMs: number };
    }
  | ({
      phase: 'listening';
      /** Why it may not be there any more, for the sentence "For 60 s …": a failure only if that lasts. */
      doubt?: string;
    } & Place)
  | { phase: 'exited'; failure: Omit<Failure, 'output'> };

/** A session as the runtime's own objects describe it: the only memory of a daemon that was killed. */
export type OwnedSession = OwnSpec & {
  /** Its `delete` was asked for: it is to be finished, and nothing else. */
  deleted: boolean;
};

/** What runs sessions. Every call may be repeated; none of them depends on what the daemon remembers. */
export interface Runtime {
  /**
   * Whether a session's address stays its own after `delete`, until `release`. If not, another session may get it at
   * once, so no router may lead there any more before `delete` is called.
   */
  readonly keepsAddress: boolean;
  /** Call it first. Resolves when everything of ours is known; waits for as long as that takes. */
  start(): Promise<void>;
  /** Everything of ours that exists or still has to be cleaned up. */
  list(): Promise<OwnedSession[]>;
  /** Starts the session, or adopts what an earlier, interrupted call started. @throws {ApiError} when it can't */
  create(spec: SessionSpec): Promise<void>;
  /** Remembers which access token of the session is the valid one. @throws {ApiError} when it can't */
  setTokenEpoch(id: string, tokenEpoch: number): Promise<void>;
  observe(id: string): Promise<Observation>;
  /** Looks at the session anew, past what is remembered. */
  refresh(id: string): Promise<void>;
  /** The last lines the app wrote. */
  output(id: string): Promise<string[]>;
  /** Resolves when nothing of the session runs any more. Its address stays reserved. */
  delete(id: string): Promise<void>;
  /** No router can reach the session's address any more: it may serve another one, and nothing is remembered. */
  release(id: string): Promise<void>;
  /** `changed` is called with a session's id whenever its observation may differ from the last. */
  watch(changed: (id: string) => void): void;
  close(): Promise<void>;
}

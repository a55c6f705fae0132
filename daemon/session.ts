import { randomInt } from 'node:crypto';
import { ID_LENGTH } from '../njs/route.ts';

/** In the order of a life; `failed` and `gone` are ends. */
export type SessionState = 'starting' | 'ready' | 'draining' | 'failed' | 'gone';

/** Why a session that worked came to its end. */
export type EndReason = 'deleted' | 'idle' | 'max_lifetime' | 'status_unreachable' | 'rolled_back';

/** docs/api.md says what each means. */
export type FailureCode =
  | 'app_exited'
  | 'app_start_timeout'
  | 'app_spawn_failed'
  | 'app_lost'
  | 'app_unready'
  | 'app_crash_loop'
  | 'app_out_of_memory'
  | 'image_pull_failed'
  | 'container_refused'
  | 'unschedulable'
  | 'pod_evicted'
  | 'sidecar_exited'
  | 'backend_refused';

/** Why a session never worked, or stopped working by itself. */
export interface Failure {
  code: FailureCode;
  message: string;
  exitCode?: number;
  signal?: string;
  /** The last lines the app wrote. */
  output: string[];
}

/** What a caller of `/init` asks for. */
export interface SessionSpec {
  id: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  env: Record<string, string>;
  labels: Record<string, string>;
  /** The caller's `Idempotency-Key` and a digest of the request it stands for. */
  idempotency: { key: string; digest: string } | null;
  /** Counts its access tokens: that of the last one is valid. Null: it was started without, and never gets any. */
  tokenEpoch: number | null;
  /** Undefined: what the operator set. */
  image?: string | undefined;
  resources?: SessionResources | undefined;
}

/** Kubernetes quantities by resource. */
export interface SessionResources {
  requests: Record<string, string>;
  limits: Record<string, string>;
}

/** What is remembered of it. */
export type OwnSpec = Pick<SessionSpec, 'id' | 'createdAt' | 'labels' | 'idempotency' | 'tokenEpoch'>;

export interface Session {
  readonly id: string;
  readonly createdAt: number;
  readonly labels: Record<string, string>;
  readonly idempotency: SessionSpec['idempotency'];
  tokenEpoch: number | null;
  /** What routers know of its access token: '' if it has none. */
  tokenDigest: string;
  /** Trouble that may pass, while it lasts. */
  hurdle: { code: FailureCode; since: number } | undefined;
  state: SessionState;
  /** `ip:port`, once known. */
  backend: string | undefined;
  /** Where its sidecar tells of use, `ip:port`, if it has one. */
  statusAddress: string | undefined;
  readyAt: number | undefined;
  /** Since when it has been waited for: its creation, or the moment it stopped being able to serve. */
  waitingSince: number;
  endedAt: number | undefined;
  /** Set once the session has to go; it never comes back from there. */
  ending: EndReason | undefined;
  failure: Failure | undefined;
}

const ID_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** 26 characters of 36 from a CSPRNG: 134 bits. */
export function newSessionId(): string {
  return Array.from({ length: ID_LENGTH }, () => ID_ALPHABET[randomInt(ID_ALPHABET.length)]).join('');
}

export function newSession(spec: OwnSpec, tokenDigest: string): Session {
  return {
    id: spec.id,
    createdAt: spec.createdAt,
    labels: spec.labels,
    idempotency: spec.idempotency,
    tokenEpoch: spec.tokenEpoch,
    tokenDigest,
    state: 'starting',
    backend: undefined,
    statusAddress: undefined,
    readyAt: undefined,
    waitingSince: spec.createdAt,
    hurdle: undefined,
    endedAt: undefined,
    ending: undefined,
    failure: undefined,
  };
}

export function hasEnded(session: Session): boolean {
  return session.state === 'failed' || session.state === 'gone';
}

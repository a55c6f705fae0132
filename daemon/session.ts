import { randomInt } from 'node:crypto';
import { ID_LENGTH } from '../njs/route.ts';

/** In the order of a life; `failed` and `gone` are ends. */
export type SessionState = 'starting' | 'ready' | 'draining' | 'failed' | 'gone';

/** Why a session that worked came to its end. */
export type EndReason = 'deleted' | 'idle' | 'max_lifetime' | 'status_unreachable' | 'rolled_back';

/** Why a session never worked, or stopped working by itself. */
export interface Failure {
  code: 'app_exited' | 'app_start_timeout' | 'app_spawn_failed' | 'app_lost';
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
}

export interface Session {
  readonly id: string;
  readonly createdAt: number;
  readonly labels: Record<string, string>;
  readonly idempotency: SessionSpec['idempotency'];
  state: SessionState;
  /** `ip:port`, once known. */
  backend: string | undefined;
  readyAt: number | undefined;
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

export function newSession(spec: Omit<SessionSpec, 'env'>): Session {
  return {
    id: spec.id,
    createdAt: spec.createdAt,
    labels: spec.labels,
    idempotency: spec.idempotency,
    state: 'starting',
    backend: undefined,
    readyAt: undefined,
    endedAt: undefined,
    ending: undefined,
    failure: undefined,
  };
}

export function hasEnded(session: Session): boolean {
  return session.state === 'failed' || session.state === 'gone';
}

export function sessionUrl(publicUrl: string, id: string): string {
  return `${publicUrl}${sessionPath(id)}`;
}

export function sessionPath(id: string): string {
  return `/p/${id}/`;
}

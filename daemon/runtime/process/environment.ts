import { type SessionSpec, sessionPath, sessionUrl } from '../../session.ts';

const RESERVED = /^(PORT|HOST|SPAWNER_.*)$/;

/** Names that the session's own variables use: a caller's `env` can't set them. */
export function isReservedName(name: string): boolean {
  return RESERVED.test(name);
}

/**
 * The environment of a session's app: what the daemon was started with, without what concerns only Spawner (its
 * tokens!) or npm, then what the caller asked for, then where the app lives.
 */
export function sessionEnvironment(
  inherited: NodeJS.ProcessEnv,
  spec: Pick<SessionSpec, 'id' | 'env'>,
  place: { port: number; publicUrl: string },
): NodeJS.ProcessEnv {
  const kept = Object.entries(inherited).filter(
    ([name]) =>
      !isReservedName(name) &&
      !/^npm_/i.test(name) &&
      !['INIT_CWD', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE'].includes(name),
  );
  return {
    ...Object.fromEntries(kept),
    ...spec.env,
    PORT: String(place.port),
    HOST: '127.0.0.1',
    SPAWNER_SESSION_ID: spec.id,
    SPAWNER_BASE_PATH: sessionPath(spec.id),
    SPAWNER_PUBLIC_URL: sessionUrl(place.publicUrl, spec.id),
  };
}

import { basePath, type PublicUrl, sessionUrl } from '../public-url.ts';
import type { SessionSpec } from '../session.ts';

const RESERVED = /^(PORT|HOST|SPAWNER_.*)$/;

/** Names that the session's own variables use: a caller's `env` can't set them. */
export function isReservedName(name: string): boolean {
  return RESERVED.test(name);
}

/** The variables that tell a session's app where it lives, whatever runs it. */
export function ownEnvironment(
  { id }: Pick<SessionSpec, 'id'>,
  place: { host: string; port: number; publicUrl: PublicUrl },
): Record<string, string> {
  return {
    PORT: String(place.port),
    HOST: place.host,
    SPAWNER_SESSION_ID: id,
    SPAWNER_BASE_PATH: basePath(place.publicUrl, id),
    SPAWNER_PUBLIC_URL: sessionUrl(place.publicUrl, id),
  };
}

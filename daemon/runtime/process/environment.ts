import type { PublicUrl } from '../../public-url.ts';
import type { SessionSpec } from '../../session.ts';
import { isReservedName, ownEnvironment } from '../session-environment.ts';

/**
 * The environment of a session's app: what the daemon was started with, without what concerns only Spawner (its
 * tokens!) or npm, then what the caller asked for, then where the app lives.
 */
export function sessionEnvironment(
  inherited: NodeJS.ProcessEnv,
  spec: Pick<SessionSpec, 'id' | 'env'>,
  place: { port: number; publicUrl: PublicUrl },
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
    ...ownEnvironment(spec, { ...place, host: '127.0.0.1' }),
  };
}
